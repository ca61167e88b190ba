"""From a dataset's volumes to the cases of a run: patients and slices chosen, images fitted to the model's input."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32

from xaibench.api import (
    Case,
    Classifier,
    Dataset,
    Images,
    Intensity,
    LoadedModel,
    Match,
    NotApplicable,
    Volume,
    XaibenchError,
    fit,
)
from xaibench.harness.spec import RunSpec, Slices


@dataclass(frozen=True, eq=False)
class Cohort:
    """The cases of a run, who explains them, and what a reader must know of them."""

    cases: list[Case]
    matches: Mapping[str, Match]
    """Classifier of each patient."""
    class_names: tuple[str, ...]
    notes: list[str]


def build_cohort(dataset: Dataset, name: str, spec: RunSpec, model: LoadedModel) -> Cohort:
    """Choose patients and slices and fit them to the model's input. Raises XaibenchError if nothing is left."""
    intensity = intensity_of(spec, model)
    cases: list[Case] = []
    matches: dict[str, Match] = {}
    fitting: dict[str, None] = {}
    for volume in choose_patients(dataset, spec.most_patients):
        matches[volume.patient] = model.match(volume)
        classifier = model.classifiers[matches[volume.patient].classifier]
        fitting |= dict.fromkeys(fitting_notes(volume, classifier.input_shape))
        cases += cases_of(volume, spec.slices, intensity, classifier)
    if not cases:
        raise XaibenchError(f"The cohort {name} holds no usable case; see `xaibench data check`.")
    cases.sort(key=lambda case: case.id)
    _check_ids(cases)
    return Cohort(cases, matches, tuple(dataset.class_names), [*dataset.notes(), *fitting])


def intensity_of(spec: RunSpec, model: LoadedModel) -> Intensity:
    """Intensities of the spec, or those the model was trained on. Raises XaibenchError where the two differ."""
    if spec.intensity is not None and model.intensity not in (None, spec.intensity):
        raise XaibenchError(
            f"The model was trained with --intensity {model.intensity}, but this run gives it {spec.intensity} images; "
            f"add --intensity {model.intensity}."
        )
    return spec.intensity or model.intensity or Intensity.RAW


def _check_ids(cases: Sequence[Case]) -> None:
    twice = [name for name, count in Counter(case.id for case in cases).items() if count > 1]
    if twice:
        raise XaibenchError(
            f"The dataset yields {twice[0]} twice; each patient needs a pseudonym of their own."
        )


def choose_patients(dataset: Dataset, at_most: int | None) -> Iterator[Volume]:
    """Yield all volumes, or at most so many with the classes as even as they come, reading no more than needed.

    The patients of a smaller number are among those of a larger one.
    """
    if at_most is None:
        yield from dataset.volumes()
        return
    share, extra = divmod(at_most, max(1, len(dataset.class_names)))
    taken: Counter[tuple[int, ...]] = Counter()
    spare: list[Volume] = []
    for volume in dataset.volumes():
        if taken[volume.labels] >= share + (extra > 0):
            spare = [*spare, volume][: at_most - taken.total()]
            continue
        extra -= taken[volume.labels] == share
        taken[volume.labels] += 1
        yield volume
        if taken.total() == at_most:
            return
    yield from spare[: at_most - taken.total()]


def cases_of(volume: Volume, rule: Slices, intensity: Intensity, classifier: Classifier) -> list[Case]:
    """Cases of one patient: the slices that the rule chooses."""
    size = classifier.input_shape
    if rule is Slices.LARGEST_MASK and (volume.regions is None or not volume.regions.any()):
        rule = Slices.HIGHEST_SCORE
    if rule is Slices.LARGEST_MASK and volume.regions is not None:
        return [fit(volume, int(volume.regions.sum(axis=(1, 2)).argmax()), size, intensity)]
    fitted = [fit(volume, index, size, intensity) for index in range(len(volume.images))]
    if rule is Slices.ALL or len(fitted) == 1:
        return fitted
    strength = highest_scores if rule is Slices.HIGHEST_SCORE else highest_maps
    return [fitted[int(strength(classifier, np.stack([case.image for case in fitted])).argmax())]]


def highest_scores(classifier: Classifier, images: Images) -> Float32[np.ndarray, "n"]:
    """Probability of the last class, the finding (recurrent): the slice that speaks most for it is to be looked at."""
    return np.asarray(classifier.scores(images)[:, -1])


def highest_maps(classifier: Classifier, images: Images) -> Float32[np.ndarray, "n"]:
    """How much the most important feature map of each slice gives to the class that the patient is predicted.

    That is the largest weight x mean of a map; the weight is the gradient of the logit with respect to the pooled
    map, as in Provenzano et al. 2025, who choose the slices of a volume by the highest-weighted map. Weight alone
    cannot choose where the head is pooling and one dense layer: it is the same for every slice.
    Raises XaibenchError for a model without feature maps.
    """
    predicted = classifier.scores(images).mean(axis=0).argmax()
    try:
        maps, gradients = classifier.feature_gradients(images, np.full(len(images), predicted))
    except NotApplicable as reason:
        raise XaibenchError(
            f"--slices highest-map is asked for, but {reason}; choose another rule."
        ) from reason
    contributions: np.ndarray = gradients.sum(axis=(1, 2)) * maps.mean(axis=(1, 2))  # [n maps]
    return np.asarray(contributions.max(axis=1))


def fitting_notes(volume: Volume, input_shape: tuple[int, ...]) -> list[str]:
    """Sentences on what fitting changes."""
    old, new = volume.images.shape[1:3], input_shape[:2]
    sizes = f"{old[0]}x{old[1]}", f"{new[0]}x{new[1]}"
    notes = []
    if old != new:
        notes.append(f"Images of {sizes[0]} pixels are resized to the model's input of {sizes[1]}.")
    if old[0] * new[1] != old[1] * new[0]:
        notes.append(f"Resizing {sizes[0]} to {sizes[1]} changes the proportions of the image.")
    if volume.images.shape[3] == 1 and input_shape[2] == 3:
        notes.append("Grey images are repeated to the three channels that the model takes.")
    return notes


def in_the_order_of(model_names: Sequence[str], cohort: Cohort) -> Cohort:
    """Number the labels as the model's outputs are named; unchanged where the names do not all occur there."""
    if not set(cohort.class_names) <= set(model_names) or tuple(model_names) == cohort.class_names:
        return cohort
    number = [list(model_names).index(name) for name in cohort.class_names]
    cases = [replace(case, labels=tuple(number[label] for label in case.labels)) for case in cohort.cases]
    return replace(cohort, cases=cases, class_names=tuple(model_names))


def assumed_order(model: LoadedModel, cohort: Cohort, scores: Mapping[str, np.ndarray]) -> list[str]:
    """Say which output was taken for which label where names do not tell; nothing where it is known or works.

    `scores` are the class probabilities of each case.
    """
    outputs, labels = model.classifiers[0].n_classes, cohort.class_names
    if set(labels) <= set(model.class_names):
        return []
    judged = [case for case in cohort.cases if len(case.labels) == 1]
    right = sum(int(scores[case.id].argmax()) == case.label for case in judged)
    largest = max(Counter(case.label for case in judged).values(), default=0)
    if model.class_names:
        why = f"The model's outputs are named {', '.join(model.class_names)}, the cohort's labels {', '.join(labels)}"
    elif outputs != len(labels):
        why = f"The model has {outputs} outputs without names, the cohort {len(labels)} labels"
    elif right <= largest and len(judged) > right:
        guess = "no more than by always naming one class, and its outputs have no names"
        why = f"The model is right in {right} of {len(judged)} cases, {guess}"
    else:
        return []
    assumed = ", ".join(f"output {number} = {name}" for number, name in enumerate(labels[:outputs]))
    return [f"{why}; assumed is {assumed}. If that is wrong, name the outputs in their order with --classes."]
