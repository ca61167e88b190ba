"""What every explainer and metric must do; run by `xaibench plugin check` and by our own tests alike.

Each check is a function that raises Broken with one sentence; the list of checks is the contract.
"""

import dataclasses
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from xaibench.harness.cell import Entry, Workbench
from xaibench.harness.registry import Plugin
from xaibench.harness.rows import scope_of
from xaibench.harness.types import (
    Case,
    CohortExplainer,
    CohortExplanation,
    CohortMetric,
    Explanation,
    Heatmap,
    Heatmaps,
    Images,
    Measurement,
    Metric,
    Need,
    NotApplicable,
    Regions,
    ThroughputMetric,
)

TOLERANCE = 1e-3
"""Largest difference, relative to the largest value, that batching may make."""


class Broken(AssertionError):  # noqa: N818 - reads as a verdict: raise Broken("...")
    """A promise that the plugin does not keep."""


@dataclass(frozen=True)
class Finding:
    """Result of one check."""

    check: str
    problem: str
    """Empty if it passed."""
    skipped: str = ""
    """Why the check has no meaning here."""


@dataclass(frozen=True, eq=False)
class Trial:
    """A plugin under test, a tiny model and three small cases."""

    entry: Entry
    classifier: Any
    cases: list[Case]

    @property
    def bench(self) -> Workbench:
        """A fresh workbench; the explained class of the cases alternates."""
        targets = {case.id: index % self.classifier.n_classes for index, case in enumerate(self.cases)}
        classifiers = {case.patient: self.classifier for case in self.cases}
        return Workbench(classifiers, targets, seed=0, timeout=120.0)

    def heatmaps(self, cases: list[Case], images: Images | None = None) -> Heatmaps:
        """Heatmaps of the cases in one batch, all drawn from one seed."""
        images = _stack(cases) if images is None else images
        plugin = self.entry.plugin
        targets = np.array([self.bench.targets[case.id] for case in cases])
        result: Heatmaps = plugin(self.classifier, images, targets, **_masks_for(plugin, cases))
        return result


Check = Callable[[Trial], None]


def trial(plugin: Plugin, classifier: Any, parameters: dict[str, Any] | None = None) -> Trial:
    """Prepare a plugin, with the smoke budgets, for the checks."""
    values = dict(getattr(plugin.cls, "presets", {}).get("smoke", {})) | (parameters or {})
    height, width, channels = classifier.input_shape
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:height, :width]
    cases = []
    for index in range(3):
        mask = (rows - height / 2) ** 2 + (columns - width / 3) ** 2 < (min(height, width) / (4 + index)) ** 2
        image = rng.random((height, width, channels), dtype=np.float32) * 0.3 + 0.5 * mask[..., None]
        cases.append(
            Case(f"T{index}-s00", f"T{index}", image.astype(np.float32), index % 2, mask, (1.0, 1.0), 0)
        )
    return Trial(Entry(plugin.name, plugin.cls(**values)), classifier, cases)


def check(trial: Trial) -> Iterator[Finding]:
    """Run every check that fits the kind of plugin."""
    for function in checks_for(trial.entry.plugin):
        name = function.__name__.replace("_", " ")
        try:
            function(trial)
        except NotApplicable as reason:
            yield Finding(name, "", str(reason))
        except Exception as error:  # a plugin may raise anything; that is what the check is for
            text = str(error) if isinstance(error, Broken) else f"it raises {type(error).__name__}: {error}"
            yield Finding(name, text)
        else:
            yield Finding(name, "")


def checks_for(plugin: Any) -> list[Check]:
    """Checks of a method or of a metric of its scope."""
    if hasattr(plugin, "needs"):
        cohort = [explains_every_class_of_a_cohort] if isinstance(plugin, CohortExplainer) else []
        return [*EVERY_PLUGIN, *EVERY_METHOD, *cohort]
    by_scope: dict[type, list[Check]] = {
        Metric: CASE_METRIC,
        ThroughputMetric: [scores_a_batch],
        CohortMetric: [scores_a_cohort_explanation],
    }
    return [*EVERY_PLUGIN, *by_scope[scope_of(plugin)]]


# -------------------------------------------------------------------- every plugin


def is_a_frozen_dataclass(trial: Trial) -> None:
    """Its fields are its recorded parameters."""
    options = getattr(trial.entry.plugin, "__dataclass_params__", None)
    if options is None or not options.frozen:
        raise Broken("it is no frozen dataclass; write @dataclass(frozen=True) above the class")


def parameters_can_be_recorded(trial: Trial) -> None:
    """Parameters go into run.json."""
    try:
        json.dumps(dataclasses.asdict(trial.entry.plugin))
    except TypeError as error:
        raise Broken(f"a field cannot be written to run.json: {error}") from error


def presets_name_its_own_fields(trial: Trial) -> None:
    """A preset's budget must be one of the fields."""
    fields = {field.name for field in dataclasses.fields(trial.entry.plugin)}
    for preset, values in getattr(trial.entry.plugin, "presets", {}).items():
        if preset not in ("smoke", "paper"):
            raise Broken(
                f"preset {preset!r} is not known; there are smoke and paper, the defaults are standard"
            )
        if not set(values) <= fields:
            raise Broken(f"preset {preset!r} sets {sorted(set(values) - fields)}, which are no fields")


# -------------------------------------------------------------------- methods


def gives_one_finite_heatmap_an_image(trial: Trial) -> None:
    """Shape [n h w], no NaN, no infinity."""
    trial.bench.require(trial.entry)
    maps = trial.heatmaps(trial.cases)
    if maps.shape != _stack(trial.cases).shape[:3]:
        raise Broken(f"heatmaps have shape {maps.shape} for images {_stack(trial.cases).shape}")
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
    images = _stack(trial.cases)
    trial.heatmaps(trial.cases, images)
    if (images != _stack(trial.cases)).any():
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


# -------------------------------------------------------------------- metrics


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
    measurement = trial.entry.plugin.score_batch(trial.cases, lambda cases: _stack(cases)[..., 0])
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


EVERY_PLUGIN: list[Check] = [is_a_frozen_dataclass, parameters_can_be_recorded, presets_name_its_own_fields]
EVERY_METHOD: list[Check] = [
    gives_one_finite_heatmap_an_image,
    explains_a_case_alone_as_in_a_batch,
    gives_the_same_map_twice,
    leaves_its_inputs_unchanged,
    another_image_does_not_scale_the_map,
]
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


def _explain_cohort(trial: Trial, cases: list[Case]) -> dict[int, CohortExplanation]:
    """Explanations of the labels, from the maps of the cases for their labels."""
    method = trial.entry.plugin
    labels = np.array([case.label for case in cases])
    maps = method(trial.classifier, _stack(cases), labels, **_masks_for(method, cases))
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
    mask = explanation.mask
    if mask is not None and not 0 <= mask.min() <= mask.max() <= 1:
        raise Broken("the mask of an explanation leaves 0 .. 1")


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
    image = _stack(cases).mean(axis=0)
    mask = _masks(cases).astype(np.float32).mean(axis=0)
    return CohortExplanation(image, image[..., 0], np.zeros(image.shape[:2], int), mask)


def _differ(one: np.ndarray, other: np.ndarray) -> bool:
    largest = max(float(np.abs(one).max()), float(np.abs(other).max()), 1e-12)
    return bool(np.abs(one - other).max() > TOLERANCE * largest)


def _stack(cases: list[Case]) -> Images:
    stacked: Images = np.stack([case.image for case in cases])
    return stacked


def _masks(cases: list[Case]) -> Regions:
    stacked: Regions = np.stack([case.mask for case in cases if case.mask is not None])
    return stacked


def _masks_for(method: Any, cases: list[Case]) -> dict[str, Regions]:
    """Return the further argument of a method that needs the annotated regions."""
    return {"masks": _masks(cases)} if Need.MASK in method.needs else {}
