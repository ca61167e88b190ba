"""What every explainer must do, as checks that raise Broken with one sentence."""

import dataclasses

import numpy as np

from xaibench.api import (
    Case,
    CohortExplanation,
)
from xaibench.harness.contract.trial import Broken, Check, Trial, masks_for, stacked

TOLERANCE = 1e-3
"""Largest difference, relative to the largest value, that batching may make."""


def gives_one_finite_heatmap_an_image(trial: Trial) -> None:
    """Shape [n h w], no NaN, no infinity."""
    trial.bench.require(trial.entry)
    maps = trial.heatmaps(trial.cases)
    if maps.shape != stacked(trial.cases).shape[:3]:
        raise Broken(f"heatmaps have shape {maps.shape} for images {stacked(trial.cases).shape}")
    if not np.isfinite(maps).all():
        raise Broken("heatmaps hold NaN or infinite values")


def explains_a_case_alone_as_in_a_batch(trial: Trial) -> None:
    """Neither neighbours nor their number change a heatmap."""
    trial.bench.require(trial.entry)
    together = trial.heatmaps(trial.cases)
    for case, heatmap in zip(trial.cases, together, strict=True):
        if _differ(trial.heatmaps([case])[0], heatmap):
            raise Broken(f"the heatmap of case {case.id} changes when other images are in the batch")


def gives_the_same_map_twice(trial: Trial) -> None:
    """Draws come from the seed field and from nowhere else."""
    trial.bench.require(trial.entry)
    state = np.random.get_state()  # noqa: NPY002 - a plugin may have used the global generator
    first = trial.heatmaps(trial.cases)
    np.random.set_state(state)  # noqa: NPY002
    np.random.random(7)  # noqa: NPY002
    if _differ(trial.heatmaps(trial.cases), first):
        raise Broken("two calls with one seed give two maps; draw from np.random.default_rng(self.seed)")


def leaves_its_inputs_unchanged(trial: Trial) -> None:
    """Images are shared by all methods."""
    trial.bench.require(trial.entry)
    images = stacked(trial.cases)
    trial.heatmaps(trial.cases, images)
    if (images != stacked(trial.cases)).any():
        raise Broken("it changes the images that it is given; work on a copy")


def another_image_does_not_scale_the_map(trial: Trial) -> None:
    """Nothing is normalised across images: a very bright neighbour changes nothing."""
    trial.bench.require(trial.entry)
    bright = dataclasses.replace(trial.cases[1], image=trial.cases[1].image * 10)
    if _differ(trial.heatmaps([trial.cases[0], bright])[0], trial.heatmaps(trial.cases[:2])[0]):
        raise Broken("a brighter image in the batch changes the map of another")


def explains_every_class_of_a_cohort(trial: Trial) -> None:
    """One finite explanation a label, of the input's size, the same alone as with the other labels."""
    trial.bench.require(trial.entry)
    explanations = _explain_cohort(trial, trial.cases)
    if set(explanations) != {case.label for case in trial.cases}:
        raise Broken(f"classes {sorted(explanations)} are explained instead of every label of the cohort")
    for label, explanation in explanations.items():
        _check_explanation(trial, explanation)
        alone = _explain_cohort(trial, [case for case in trial.cases if case.label == label])[label]
        if _differ(alone.image, explanation.image):
            raise Broken("the simulated image of a class changes when other classes are explained with it")


EVERY_METHOD: list[Check] = [
    gives_one_finite_heatmap_an_image,
    explains_a_case_alone_as_in_a_batch,
    gives_the_same_map_twice,
    leaves_its_inputs_unchanged,
    another_image_does_not_scale_the_map,
]


def _explain_cohort(trial: Trial, cases: list[Case]) -> dict[int, CohortExplanation]:
    """Explanations of the labels, from the maps of the cases for their labels."""
    method = trial.entry.plugin
    labels = np.array([case.label for case in cases])
    maps = method(trial.classifier, stacked(cases), labels, **masks_for(method, cases))
    explanations: dict[int, CohortExplanation] = method.explain_cohort(cases, maps)
    return explanations


def _check_explanation(trial: Trial, explanation: CohortExplanation) -> None:
    shape = trial.classifier.input_shape
    if explanation.image.shape != shape or explanation.map.shape != shape[:2]:
        raise Broken("a simulated image or a stacked map is not of the input's size")
    if not (np.isfinite(explanation.image).all() and np.isfinite(explanation.map).all()):
        raise Broken("a simulated image or a stacked map holds NaN or infinite values")
    if not -1 <= explanation.sources.min() <= explanation.sources.max() < len(trial.cases):
        raise Broken("`sources` names a case that was not given")
    mask = explanation.region
    if mask is not None and not 0 <= mask.min() <= mask.max() <= 1:
        raise Broken("the mask of an explanation leaves 0 .. 1")


def _differ(one: np.ndarray, other: np.ndarray) -> bool:
    largest = max(float(np.abs(one).max()), float(np.abs(other).max()), 1e-12)
    return bool(np.abs(one - other).max() > TOLERANCE * largest)
