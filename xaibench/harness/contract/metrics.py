"""What every metric must do, as checks that raise Broken with one sentence."""

import numpy as np

from xaibench.api import (
    Case,
    Classifier,
    CohortExplanation,
    Explanation,
    Heatmap,
    Heatmaps,
    Measurement,
    Need,
    NotApplicable,
)
from xaibench.harness.contract.trial import Broken, Check, Trial, needs_region, stacked, without_region
from xaibench.harness.explaining import regions_of
from xaibench.harness.scopes import measured


def value_is_finite_and_within_its_range(trial: Trial) -> None:
    """For maps of every awkward kind: signed, constant, all zero, all negative."""
    for name, heatmap in awkward_maps(trial).items():
        measurement = _score(trial, heatmap)
        if measurement is not None:
            _check_range(trial, measurement, f"for a map that is {name}")


def scaling_a_heatmap_changes_nothing(trial: Trial) -> None:
    """A positive factor is no evidence."""
    if not trial.tried.plugin.facts.scale_free:
        raise NotApplicable("it judges the map in its own units")
    heatmap = _echoed(trial.cases[0].image[None])[0]
    for factor in (1e-3, 100.0):
        scaled = Echo(trial.classifier, trial.cases[0], factor)
        before, after = _score(trial, heatmap), _score(trial, heatmap * np.float32(factor), echo=scaled)
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


def uses_the_region_as_it_declares(trial: Trial) -> None:
    """Without a region, what needs one is not applicable, and what needs none scores the same."""
    heatmap, bare = awkward_maps(trial)["signed"], without_region(trial.cases[0])
    if not needs_region(trial):
        if _score(trial, heatmap, case=bare) != _score(trial, heatmap):
            raise Broken("it uses the annotated region; declare Need.REGION")
        return
    try:
        _score(trial, heatmap, case=bare, give_reasons=True)
    except NotApplicable:
        return
    raise Broken("it gives a value for a case without a region; raise NotApplicable with the reason")


def explains_again_only_if_it_declares_so(trial: Trial) -> None:
    """What explains again costs some twenty explanations, so that it takes fewer patients."""
    echo = Echo(trial.classifier, trial.cases[0], 1.0)
    _score(trial, awkward_maps(trial)["signed"], echo=echo)
    if echo.calls and Need.EXPLAIN not in trial.tried.needs:
        raise Broken("it explains the case again; declare Need.EXPLAIN")


def scores_a_batch(trial: Trial) -> None:
    """A finite value over three cases."""
    _check_range(
        trial, measured(trial.made.score_batch(trial.cases, lambda cases: _echoed(stacked(cases)))), ""
    )


def scores_a_cohort_explanation(trial: Trial) -> None:
    """A finite value within its range for each class, the same twice."""
    labels = sorted({case.label for case in trial.cases})
    values = [_class_measurement(trial, label) for label in labels]
    for measurement in filter(None, values):
        _check_range(trial, measurement, "for a class")
    if values != [_class_measurement(trial, label) for label in labels]:
        raise Broken("two calls give two values; draw from np.random.default_rng of the seed field")


CASE_METRIC: list[Check] = [
    value_is_finite_and_within_its_range,
    scaling_a_heatmap_changes_nothing,
    gives_the_same_value_twice,
    leaves_case_and_heatmap_unchanged,
    uses_the_region_as_it_declares,
    explains_again_only_if_it_declares_so,
]


def awkward_maps(trial: Trial) -> dict[str, Heatmap]:
    """Heatmaps that have broken metrics before."""
    shape = trial.cases[0].image.shape[:-1]
    signed = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    one_pixel = np.zeros(shape, np.float32)
    one_pixel.flat[0] = 1
    return {
        "signed": signed,
        "constant": np.ones(shape, np.float32),
        "all zero": np.zeros(shape, np.float32),
        "all negative": -np.abs(signed) - np.float32(0.1),
        "zero but for one pixel": one_pixel,
    }


def _check_range(trial: Trial, measurement: Measurement, where: str) -> None:
    low, high = trial.tried.plugin.facts.range
    if not low - 1e-6 <= measurement.value <= high + 1e-6:
        raise Broken(f"{measurement.value:g} lies outside its range {low} .. {high} {where}".rstrip())


def _score(
    trial: Trial,
    heatmap: Heatmap,
    case: Case | None = None,
    echo: "Echo | None" = None,
    give_reasons: bool = False,
) -> Measurement | None:
    """Measurement of a case, the first by default; None where the metric is not applicable."""
    echo = echo or Echo(trial.classifier, trial.cases[0], 1.0)
    case = trial.cases[0] if case is None else case
    try:
        return measured(trial.made(trial.classifier, case, _explanation(heatmap), echo))
    except NotApplicable:
        if give_reasons:
            raise
        return None


def _explanation(heatmap: Heatmap) -> Explanation:
    return Explanation(heatmap, target=0, seconds=0.5, forward=3, backward=1, promised_total=1.0)


class Echo:
    """Stand-in for the explainer under test: the channel mean, scaled."""

    def __init__(self, classifier: Classifier, case: Case, factor: float) -> None:
        self.case = case
        self.factor = factor
        self.calls = 0

    def __call__(
        self,
        images: np.ndarray | None = None,
        *,
        targets: np.ndarray | None = None,
        seeds: np.ndarray | None = None,
        classifier: Classifier | None = None,
    ) -> Heatmaps:
        """Channel means of the images; a map each for several targets or seeds."""
        self.calls += 1
        images = self.case.image[None] if images is None else images
        count = max(len(given) for given in (images, targets, seeds) if given is not None)
        maps: Heatmaps = np.repeat(_echoed(images), count // len(images), axis=0) * np.float32(self.factor)
        return maps


def _echoed(images: np.ndarray) -> Heatmaps:
    maps: Heatmaps = images.mean(axis=-1).astype(np.float32)
    return maps


def _class_measurement(trial: Trial, label: int) -> Measurement | None:
    """Measurement of one class of the cases; None where the metric says it is not applicable."""
    explanation = _mean_of_cases(trial.cases)[label]
    try:
        return measured(trial.made.score_cohort(trial.folds, trial.cases, label, explanation, _mean_of_cases))
    except NotApplicable:
        return None


def _mean_of_cases(cases: list[Case]) -> dict[int, CohortExplanation]:
    """Stand-in for the cohort explainer under test: the mean of a label's images and regions."""
    return {
        label: _mean([case for case in cases if case.label == label]) for label in {c.label for c in cases}
    }


def _mean(cases: list[Case]) -> CohortExplanation:
    image = stacked(cases).mean(axis=0)
    regions = regions_of(cases)
    share = None if regions is None else regions.astype(np.float32).mean(axis=0)
    return CohortExplanation(image, image[..., 0], np.zeros(image.shape[:-1], int), share)
