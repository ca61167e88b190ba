"""What every metric must do, as checks that raise Broken with one sentence."""

import dataclasses
from collections.abc import Callable

import numpy as np

from xaibench.api import (
    Case,
    CohortExplanation,
    Explanation,
    Heatmap,
    Heatmaps,
    Images,
    Measurement,
    NotApplicable,
)
from xaibench.harness.contract.trial import Broken, Check, Trial, masks_of, stacked


def value_is_finite_and_within_its_range(trial: Trial) -> None:
    """For maps of every awkward kind: signed, constant, all zero, all negative."""
    low, high = trial.entry.plugin.range
    for name, heatmap in awkward_maps(trial).items():
        measurement = _score(trial, heatmap)
        if measurement is None:
            continue
        if not np.isfinite([measurement.value, *measurement.details.values()]).all():
            raise Broken(f"it gives NaN or infinity for a heatmap that is {name}")
        if not low - 1e-6 <= measurement.value <= high + 1e-6:
            raise Broken(
                f"{measurement.value:g} lies outside its range {low} .. {high} for a map that is {name}"
            )


def scaling_a_heatmap_changes_nothing(trial: Trial) -> None:
    """A positive factor is no evidence."""
    heatmap = trial.cases[0].image.mean(axis=-1)  # what the stand-in explainer gives for this case
    for factor in (1e-3, 100.0):
        before, after = _score(trial, heatmap), _score(trial, heatmap * np.float32(factor), factor)
        if before and after and not np.isclose(before.value, after.value, rtol=1e-4, atol=1e-5):
            raise Broken(f"multiplying the heatmap by {factor:g} changes {before.value:g} to {after.value:g}")


def gives_the_same_value_twice(trial: Trial) -> None:
    """Draws come from the seed field and the case."""
    heatmap = awkward_maps(trial)["signed"]
    first, second = _score(trial, heatmap), _score(trial, heatmap)
    if first and second and first != second:
        raise Broken(f"two calls give {first.value:g} and {second.value:g}")


def leaves_case_and_heatmap_unchanged(trial: Trial) -> None:
    """Both are shared by all metrics."""
    heatmap = awkward_maps(trial)["signed"]
    copies = heatmap.copy(), trial.cases[0].image.copy()
    _score(trial, heatmap)
    if (heatmap != copies[0]).any() or (trial.cases[0].image != copies[1]).any():
        raise Broken("it changes the heatmap or the image that it is given; work on a copy")


def a_missing_mask_is_not_applicable(trial: Trial) -> None:
    """Where nobody annotated, co-localisation has no meaning: that is a reason, not a crash."""
    if not trial.entry.plugin.needs_mask:
        raise NotApplicable("it needs no mask")
    case = dataclasses.replace(trial.cases[0], mask=None)
    try:
        trial.entry.plugin(trial.classifier, case, _explanation(awkward_maps(trial)["signed"]), _echo(1.0))
    except NotApplicable:
        return
    raise Broken("it gives a value for a case without a mask; raise NotApplicable with the reason")


def scores_a_batch(trial: Trial) -> None:
    """A finite value over three cases."""
    measurement = trial.entry.plugin.score_batch(trial.cases, lambda cases: stacked(cases)[..., 0])
    if not np.isfinite(measurement.value):
        raise Broken("it gives NaN or infinity")


def scores_a_cohort_explanation(trial: Trial) -> None:
    """A finite value within its range for each class, the same twice."""
    labels = sorted({case.label for case in trial.cases})
    values = [_class_measurement(trial, label) for label in labels]
    low, high = trial.entry.plugin.range
    for measurement in filter(None, values):
        if not np.isfinite([measurement.value, *measurement.details.values()]).all():
            raise Broken("it gives NaN or infinity")
        if not low - 1e-6 <= measurement.value <= high + 1e-6:
            raise Broken(f"{measurement.value:g} lies outside its range {low} .. {high}")
    if values != [_class_measurement(trial, label) for label in labels]:
        raise Broken("two calls give two values; draw from np.random.default_rng of the seed field")


CASE_METRIC: list[Check] = [
    value_is_finite_and_within_its_range,
    scaling_a_heatmap_changes_nothing,
    gives_the_same_value_twice,
    leaves_case_and_heatmap_unchanged,
    a_missing_mask_is_not_applicable,
]


def awkward_maps(trial: Trial) -> dict[str, Heatmap]:
    """Heatmaps that have broken metrics before."""
    shape = trial.cases[0].image.shape[:2]
    signed = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    return {
        "signed": signed,
        "constant": np.ones(shape, np.float32),
        "all zero": np.zeros(shape, np.float32),
        "all negative": -np.abs(signed) - np.float32(0.1),
        "zero but for one pixel": np.pad(np.ones((1, 1), np.float32), [(0, size - 1) for size in shape]),
    }


def _score(trial: Trial, heatmap: Heatmap, factor: float = 1.0) -> Measurement | None:
    """Measurement of the first case; None where the metric says it is not applicable."""
    try:
        result: Measurement = trial.entry.plugin(
            trial.classifier, trial.cases[0], _explanation(heatmap), _echo(factor)
        )
    except NotApplicable:
        return None
    return result


def _explanation(heatmap: Heatmap) -> Explanation:
    return Explanation(heatmap=heatmap, target=0, seconds=0.5, forward=3, backward=1)


def _echo(factor: float) -> Callable[[Images], Heatmaps]:
    """Stand-in for the explainer under test: the channel mean, scaled."""

    def explain(images: Images) -> Heatmaps:
        maps: Heatmaps = (images.mean(axis=-1) * np.float32(factor)).astype(np.float32)
        return maps

    return explain


def _class_measurement(trial: Trial, label: int) -> Measurement | None:
    """Measurement of one class of the cases; None where the metric says it is not applicable."""
    explanation = _mean_of_cases(trial.cases)[label]
    try:
        result: Measurement = trial.entry.plugin.score_cohort(
            [trial.classifier], trial.cases, label, explanation, _mean_of_cases
        )
    except NotApplicable:
        return None
    return result


def _mean_of_cases(cases: list[Case]) -> dict[int, CohortExplanation]:
    """Stand-in for the cohort explainer under test: the mean of a label's images and masks."""
    return {
        label: _mean([case for case in cases if case.label == label]) for label in {c.label for c in cases}
    }


def _mean(cases: list[Case]) -> CohortExplanation:
    image = stacked(cases).mean(axis=0)
    mask = masks_of(cases).astype(np.float32).mean(axis=0)
    return CohortExplanation(image, image[..., 0], np.zeros(image.shape[:2], int), mask)
