"""From a dataset's volumes to the cases of a run: slices chosen, images fitted to the model's input."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32

from xaibench.api import (
    Case,
    Classifier,
    Dataset,
    Image,
    Images,
    NotApplicable,
    Region,
    Volume,
    XaibenchError,
)
from xaibench.harness.spec import Intensity, RunSpec, Slices

Chooser = Callable[[Volume], Classifier]
"""Gives the classifier that may explain a patient."""


@dataclass(frozen=True, eq=False)
class Cohort:
    """The cases of a run, and what a reader must know of them."""

    name: str
    cases: list[Case]
    class_names: tuple[str, ...]
    notes: list[str]

    @property
    def patients(self) -> int:
        """Number of patients."""
        return len({case.patient for case in self.cases})

    @property
    def input_range(self) -> tuple[float, float]:
        """Lowest and highest intensity of all cases."""
        low = min(float(case.image.min()) for case in self.cases)
        high = max(float(case.image.max()) for case in self.cases)
        return low, high

    def fingerprint(self) -> str:
        """Hash of images, masks and labels."""
        digest = hashlib.sha256()
        for case in self.cases:
            digest.update(f"{case.id} {case.label} {case.spacing_mm}".encode())
            digest.update(np.ascontiguousarray(case.image).tobytes())
            digest.update(b"" if case.region is None else np.packbits(case.region).tobytes())
        return digest.hexdigest()


def build_cohort(dataset: Dataset, name: str, spec: RunSpec, classifier_of: Chooser) -> Cohort:
    """Choose patients and slices and fit them to the model's input. Raises XaibenchError if nothing is left."""
    notes: list[str] = []
    cases: list[Case] = []
    for volume in choose_patients(dataset, spec.patients):
        classifier = classifier_of(volume)
        notes += _fitting_notes(volume, classifier.input_shape, notes)
        cases += cases_of(volume, spec, classifier)
    if not cases:
        raise XaibenchError(f"The cohort {name} holds no usable case; see `xaibench data check`.")
    cases.sort(key=lambda case: case.id)
    return Cohort(name, cases, tuple(dataset.class_names), [*dataset.notes(), *notes])


def choose_patients(dataset: Dataset, at_most: int | None) -> Iterator[Volume]:
    """Yield all volumes, or at most so many with the classes as even as they come, reading no more than needed."""
    if at_most is None:
        yield from dataset.volumes()
        return
    share = -(-at_most // max(1, len(dataset.class_names)))
    taken: Counter[int] = Counter()
    spare: list[Volume] = []
    for volume in dataset.volumes():
        if taken[volume.label] >= share:
            spare = [*spare, volume][: at_most - taken.total()]
            continue
        taken[volume.label] += 1
        yield volume
        if taken.total() == at_most:
            return
    yield from spare[: at_most - taken.total()]


def cases_of(volume: Volume, spec: RunSpec, classifier: Classifier) -> list[Case]:
    """Cases of one patient: the slices that the rule chooses."""
    input_shape = classifier.input_shape
    rule = spec.slices
    if rule is Slices.LARGEST_MASK and (volume.regions is None or not volume.regions.any()):
        rule = Slices.HIGHEST_SCORE
    if rule is Slices.LARGEST_MASK and volume.regions is not None:
        return [fit(volume, int(volume.regions.sum(axis=(1, 2)).argmax()), input_shape, spec.intensity)]
    fitted = [fit(volume, index, input_shape, spec.intensity) for index in range(len(volume.images))]
    if rule is Slices.ALL:
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


def fit(volume: Volume, index: int, input_shape: tuple[int, int, int], intensity: Intensity) -> Case:
    """Slice of a volume as a case of the model's input size; the mask follows by nearest neighbour."""
    image = volume.images[index]
    mask = None if volume.regions is None else volume.regions[index]
    where = f"Case {volume.patient}/slice {index}"
    if not np.isfinite(image).all():
        raise XaibenchError(
            f"{where}: the image holds NaN or infinite pixels; repair or leave out this patient."
        )
    if mask is not None and mask.shape != image.shape[:2]:
        raise XaibenchError(
            f"{where}: mask is {_size(mask.shape)} but the image is {_size(image.shape)}; "
            f"resample the SEG to the series, or drop the mask."
        )
    case = Case(
        id=f"{volume.patient}-s{index:02d}",
        patient=volume.patient,
        image=_channels(image, input_shape[2], where),
        label=volume.label,
        mask=mask,
        spacing_mm=volume.spacing_mm,
        slice_index=index,
    )
    if intensity is Intensity.UNIT:
        case = replace(case, image=_unit(case.image))
    return case if image.shape[:2] == input_shape[:2] else _resized(case, input_shape[:2])


def _resized(case: Case, size: tuple[int, int]) -> Case:
    from skimage.transform import resize

    old = case.image.shape[:2]
    image = resize(case.image, size, order=1, anti_aliasing=min(size) < min(old), preserve_range=True)
    mask: Region | None = None
    if case.region is not None:
        mask = resize(case.region, size, order=0, anti_aliasing=False, preserve_range=True).astype(bool)
    spacing = (case.spacing_mm[0] * old[0] / size[0], case.spacing_mm[1] * old[1] / size[1])
    return replace(case, image=image.astype(np.float32), mask=mask, spacing_mm=spacing)


def _channels(image: np.ndarray, wanted: int, where: str) -> np.ndarray:
    if image.shape[2] == wanted:
        return image
    if image.shape[2] == 1:
        return np.repeat(image, wanted, axis=2)
    raise XaibenchError(
        f"{where}: the image has {image.shape[2]} channels but the model takes {wanted}; "
        f"give a model of {image.shape[2]} channels, or convert the images."
    )


def _unit(image: Image) -> Image:
    low, high = np.percentile(image, (1, 99))
    scaled: Image = np.clip((image - low) / max(high - low, 1e-6), 0, 1).astype(np.float32)
    return scaled


def _fitting_notes(volume: Volume, input_shape: tuple[int, int, int], known: list[str]) -> list[str]:
    old, new = volume.images.shape[1:3], input_shape[:2]
    notes = []
    if old != new:
        notes.append(f"Images of {_size(old)} pixels are resized to the model's input of {_size(new)}.")
    if old != new and old[0] * new[1] != old[1] * new[0]:
        notes.append(f"Resizing {_size(old)} to {_size(new)} changes the proportions of the image.")
    if volume.images.shape[3] == 1 and input_shape[2] == 3:
        notes.append("Grey images are repeated to the three channels that the model takes.")
    return [note for note in notes if note not in known]


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[0]}x{shape[1]}"
