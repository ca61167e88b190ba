"""What every explainer must do, as checks that raise Broken with one sentence."""

import dataclasses

import numpy as np

from xaibench.api import Case, CohortExplanation, Promising
from xaibench.harness.contract.trial import Broken, Check, Trial, stacked

TOLERANCE = 1e-3
"""Largest difference, relative to the largest value, that batching may make."""


def gives_one_finite_heatmap_an_image(trial: Trial) -> None:
    """Shape [n *space], no NaN, no infinity."""
    maps = trial.heatmaps(trial.cases)
    if maps.shape != stacked(trial.cases).shape[:-1]:
        raise Broken(f"heatmaps have shape {maps.shape} for images {stacked(trial.cases).shape}")
    if not np.isfinite(maps).all():
        raise Broken("heatmaps hold NaN or infinite values")


def explains_a_case_alone_as_in_a_batch(trial: Trial) -> None:
    """Neither neighbours nor their number nor their order change a heatmap."""
    together = trial.heatmaps(trial.cases)
    for case, heatmap in zip(trial.cases, together, strict=True):
        if differ(trial.heatmaps([case])[0], heatmap):
            raise Broken(f"the heatmap of case {case.id} changes when other images are in the batch")
    if differ(trial.heatmaps(trial.cases[::-1])[::-1], together):
        raise Broken("the heatmaps change with the order of the images")


def gives_the_same_map_twice(trial: Trial) -> None:
    """Draws come from the batch's seeds and from nowhere else."""
    state = np.random.get_state()  # noqa: NPY002 - a plugin may have used the global generator
    first = trial.heatmaps(trial.cases)
    np.random.set_state(state)  # noqa: NPY002
    np.random.random(7)  # noqa: NPY002
    if differ(trial.heatmaps(trial.cases), first):
        raise Broken("two calls with the same seeds give two maps; draw from np.random.default_rng(seed)")


def draws_as_it_declares(trial: Trial) -> None:
    """Another seed changes the map only of a method that is not deterministic."""
    changed = differ(trial.heatmaps(trial.cases, seed=1), trial.heatmaps(trial.cases))
    if changed and trial.tried.plugin.facts.deterministic:
        raise Broken("another seed gives another map; declare deterministic = False")


def leaves_its_inputs_unchanged(trial: Trial) -> None:
    """Images are shared by all methods."""
    images = stacked(trial.cases)
    trial.heatmaps(trial.cases, images)
    if (images != stacked(trial.cases)).any():
        raise Broken("it changes the images that it is given; work on a copy")


def another_image_does_not_scale_the_map(trial: Trial) -> None:
    """Nothing is normalised across images: a very bright neighbour changes nothing."""
    bright = dataclasses.replace(trial.cases[1], image=trial.cases[1].image * 10)
    if differ(trial.heatmaps([trial.cases[0], bright])[0], trial.heatmaps(trial.cases[:2])[0]):
        raise Broken("a brighter image in the batch changes the map of another")


def keeps_its_promised_total(trial: Trial) -> None:
    """Maps that promise to sum to something do so, within 1 % of the largest promise."""
    if not isinstance(trial.made, Promising):
        return
    promised = trial.made.promised_total(trial.classifier, trial.batch(trial.cases))
    sums = trial.heatmaps(trial.cases).sum(axis=(1, 2))
    if np.abs(sums - promised).max() > 0.01 * np.abs(promised).max():
        raise Broken(f"its maps sum to {sums.tolist()} where {promised.tolist()} is promised")


def explains_every_class_of_a_cohort(trial: Trial) -> None:
    """One finite explanation a label, of the input's size, the same alone as with the other labels."""
    explanations = _explain_cohort(trial, trial.cases)
    if set(explanations) != {case.label for case in trial.cases}:
        raise Broken(f"classes {sorted(explanations)} are explained instead of every label of the cohort")
    for label, explanation in explanations.items():
        _check_explanation(trial, explanation)
        alone = _explain_cohort(trial, [case for case in trial.cases if case.label == label])[label]
        if differ(alone.image, explanation.image):
            raise Broken("the simulated image of a class changes when other classes are explained with it")


EVERY_METHOD: list[Check] = [
    gives_one_finite_heatmap_an_image,
    explains_a_case_alone_as_in_a_batch,
    gives_the_same_map_twice,
    draws_as_it_declares,
    leaves_its_inputs_unchanged,
    another_image_does_not_scale_the_map,
    keeps_its_promised_total,
]


def differ(one: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether two maps differ by more than batching may make."""
    largest = max(float(np.abs(one).max()), float(np.abs(other).max()), 1e-12)
    return bool(np.abs(one - other).max() > TOLERANCE * largest)


def _explain_cohort(trial: Trial, cases: list[Case]) -> dict[int, CohortExplanation]:
    """Explanations of the labels, from maps of the cases."""
    explanations: dict[int, CohortExplanation] = trial.made.explain_cohort(cases, trial.heatmaps(cases))
    return explanations


def _check_explanation(trial: Trial, explanation: CohortExplanation) -> None:
    shape = trial.classifier.input_shape
    if explanation.image.shape != shape or explanation.map.shape != shape[:-1]:
        raise Broken("a simulated image or a stacked map is not of the input's size")
    if not (np.isfinite(explanation.image).all() and np.isfinite(explanation.map).all()):
        raise Broken("a simulated image or a stacked map holds NaN or infinite values")
    if not -1 <= explanation.sources.min() <= explanation.sources.max() < len(trial.cases):
        raise Broken("`sources` names a case that was not given")
    region = explanation.region
    if region is not None and not 0 <= region.min() <= region.max() <= 1:
        raise Broken("the region of an explanation leaves 0 .. 1")
