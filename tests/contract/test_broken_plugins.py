"""The contract finds what is broken: each check fails for a plugin that breaks just that promise."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from tests.contract.honest import HonestClassifier, HonestDataset, HonestModel, HonestSource
from tests.harness.in_memory import configured
from tests.harness.plugins import (
    Again,
    BadMetric,
    Brightness,
    ClassMean,
    Drawn,
    Mean,
    Promises,
    Stacked,
    Together,
    WithDetails,
)
from xaibench.api import Batch, Case, CohortExplanation, LoadedModel, Match, Measurement, Need, Volume
from xaibench.harness.contract.checks import Finding, check, check_model, run_checks
from xaibench.harness.contract.classifiers import EVERY_CLASSIFIER
from xaibench.harness.contract.datasets import EVERY_DATASET
from xaibench.harness.contract.methods import EVERY_METHOD, explains_every_class_of_a_cohort
from xaibench.harness.contract.metrics import CASE_METRIC, scores_a_batch, scores_a_cohort_explanation
from xaibench.harness.contract.models import EVERY_MODEL
from xaibench.harness.contract.trial import Trial, put_on_trial

CLASSIFIER = HonestClassifier()
GLOBAL = np.random.mtrand._rand
"""The global generator, which no plugin may draw from."""


def trial_of(made: Any) -> Trial:
    kind = "methods" if isinstance(made, Brightness) else "metrics"
    tried = configured(kind, "x", made)
    return replace(put_on_trial(tried.plugin, CLASSIFIER), tried=tried)


def problems(findings: Iterator[Finding]) -> dict[str, str]:
    return {finding.check: finding.problem for finding in findings if finding.problem}


def said(function: Callable[..., None]) -> str:
    return function.__name__.replace("_", " ")


def method(body: Callable[[np.ndarray], Any], **facts: Any) -> Any:
    def call(self: Any, classifier: Any, batch: Batch) -> Any:
        return body(batch.images).astype(np.float32)

    return dataclass(frozen=True)(type("Made", (Brightness,), {"__call__": call, **facts}))()


def metric(body: Callable[[Case, np.ndarray, Any], float], **facts: Any) -> Any:
    def call(self: Any, classifier: Any, case: Case, explanation: Any, explain: Any) -> Measurement:
        return Measurement(body(case, explanation.heatmap, explain))

    return dataclass(frozen=True)(type("Made", (Mean,), {"__call__": call, **facts}))()


def unchecked(made: Any, **changes: Any) -> Any:
    """A changed copy that the type check under test would refuse."""
    copy = replace(made)
    for name, value in changes.items():
        object.__setattr__(copy, name, value)
    return copy


def spoil(array: np.ndarray) -> np.ndarray:
    """Change an array, read-only or not."""
    base = array if array.base is None else array.base
    base += 1
    return array


# ---------------------------------------------------------------- methods


@dataclass(frozen=True)
class Overpromises(Promises):
    def promised_total(self, classifier: Any, batch: Batch) -> np.ndarray:
        return 2 * Promises.promised_total(self, classifier, batch)


def generator(change: Callable[[dict[int, CohortExplanation], list[Case]], Any]) -> Any:
    """A cohort explainer whose explanations are changed."""

    def explain_cohort(self: Any, cases: list[Case], maps: np.ndarray) -> Any:
        return change(Stacked.explain_cohort(self, cases, maps), cases)

    return dataclass(frozen=True)(type("Made", (Stacked,), {"explain_cohort": explain_cohort}))()


def every(found: dict[int, CohortExplanation], **changes: Any) -> dict[int, CohortExplanation]:
    return {label: unchecked(made, **changes) for label, made in found.items()}


BROKEN_METHODS: list[tuple[Any, Callable[..., None]]] = [
    (method(lambda x: x.mean(axis=-1)[:, 1:]), EVERY_METHOD[0]),
    (method(lambda x: x.mean(axis=-1) * np.nan), EVERY_METHOD[0]),
    (method(lambda x: x.mean(axis=-1) / x.max()), EVERY_METHOD[1]),
    (method(lambda x: x.mean(axis=-1) * np.arange(1, len(x) + 1)[:, None, None]), EVERY_METHOD[1]),
    (method(lambda x: x.mean(axis=-1) + GLOBAL.random(x.shape[:3])), EVERY_METHOD[2]),
    (type("Made", (Drawn,), {"deterministic": True})(), EVERY_METHOD[3]),
    (method(lambda x: spoil(x).mean(axis=-1)), EVERY_METHOD[4]),
    (method(lambda x: x.mean(axis=-1) / x.max()), EVERY_METHOD[5]),
    (Overpromises(), EVERY_METHOD[6]),
    (generator(lambda found, cases: {0: found[0]}), explains_every_class_of_a_cohort),
    (
        generator(lambda found, cases: every(found, map=np.zeros((3, 3), np.float32))),
        explains_every_class_of_a_cohort,
    ),
    (
        generator(lambda found, cases: every(found, image=np.full((6, 5, 2), np.nan, np.float32))),
        explains_every_class_of_a_cohort,
    ),
    (
        generator(lambda found, cases: every(found, sources=np.full((6, 5), 9))),
        explains_every_class_of_a_cohort,
    ),
    (
        generator(lambda found, cases: every(found, region=np.full((6, 5), 2, np.float32))),
        explains_every_class_of_a_cohort,
    ),
    (
        generator(lambda found, cases: every(found, image=found[0].image * len(cases))),
        explains_every_class_of_a_cohort,
    ),
]


@pytest.mark.parametrize(("made", "broken"), BROKEN_METHODS)
def test_a_method_that_breaks_a_promise_is_found(made: Any, broken: Callable[..., None]) -> None:
    found = problems(check(trial_of(made)))
    assert said(broken) in found
    assert not found[said(broken)].startswith("it raises")


# ---------------------------------------------------------------- metrics

BROKEN_METRICS: list[tuple[Any, Callable[..., None]]] = [
    (metric(lambda case, heatmap, explain: float(heatmap.sum()), range=(0.0, 1.0)), CASE_METRIC[0]),
    (metric(lambda case, heatmap, explain: float(np.abs(heatmap).sum())), CASE_METRIC[1]),
    (
        metric(lambda case, heatmap, explain: float(explain()[0].sum()), needs=frozenset({Need.EXPLAIN})),
        CASE_METRIC[1],
    ),
    (metric(lambda case, heatmap, explain: float(GLOBAL.random())), CASE_METRIC[2]),
    (metric(lambda case, heatmap, explain: float(spoil(heatmap).size)), CASE_METRIC[3]),
    (metric(lambda case, heatmap, explain: float(spoil(case.image).size)), CASE_METRIC[3]),
    (metric(lambda case, heatmap, explain: 1.0, needs=frozenset({Need.REGION})), CASE_METRIC[4]),
    (metric(lambda case, heatmap, explain: float(case.region is None)), CASE_METRIC[4]),
    (metric(lambda case, heatmap, explain: float(explain()[0].size)), CASE_METRIC[5]),
]


@pytest.mark.parametrize(("made", "broken"), BROKEN_METRICS)
def test_a_metric_that_breaks_a_promise_is_found(made: Any, broken: Callable[..., None]) -> None:
    found = problems(check(trial_of(made)))
    assert said(broken) in found
    assert not found[said(broken)].startswith("it raises")


@dataclass(frozen=True)
class NegativeTogether(Together):
    def score_batch(self, cases: list[Case], explain: Any) -> Measurement:
        return Measurement(-1.0)


@dataclass(frozen=True)
class DrawsOfClass(ClassMean):
    def score_cohort(self, *_: Any) -> Measurement:
        return Measurement(float(GLOBAL.random()))


@dataclass(frozen=True)
class TooLarge(ClassMean):
    def score_cohort(self, *_: Any) -> Measurement:
        return Measurement(7.0)


@pytest.mark.parametrize(
    ("made", "broken"),
    [
        (NegativeTogether(), scores_a_batch),
        (DrawsOfClass(), scores_a_cohort_explanation),
        (TooLarge(), scores_a_cohort_explanation),
    ],
)
def test_a_metric_of_several_cases_that_breaks_a_promise_is_found(made: Any, broken: Any) -> None:
    assert said(broken) in problems(check(trial_of(made)))


@pytest.mark.parametrize("how", ["raises", "nan", "number", "nothing"])
def test_whatever_a_metric_raises_or_returns_is_a_finding(how: str) -> None:
    found = problems(check(trial_of(BadMetric(how))))
    assert found[said(CASE_METRIC[0])].startswith("it raises")


# ---------------------------------------------------------------- datasets


def dataset(change: Callable[[list[Volume]], Sequence[Any]], **members: Any) -> Any:
    def volumes(self: Any) -> Iterator[Any]:
        yield from change(list(HonestDataset().volumes()))

    return dataclass(frozen=True)(type("Made", (HonestDataset,), {"volumes": volumes, **members}))()


def broken_image(volume: Volume) -> np.ndarray:
    images = volume.images.copy()
    images[0, 0, 0, 0] = np.nan
    return images


DRAWN = np.random.default_rng(0)

BROKEN_DATASETS: list[tuple[Any, Callable[..., None]]] = [
    (dataset(lambda v: []), EVERY_DATASET[0]),
    (dataset(lambda v: [v[0], v[0]]), EVERY_DATASET[0]),
    (dataset(lambda v: v[::-1]), EVERY_DATASET[0]),
    (dataset(lambda v: [unchecked(v[0], images=v[0].images.astype(float))]), EVERY_DATASET[1]),
    (dataset(lambda v: [unchecked(v[0], images=v[0].images[:0])]), EVERY_DATASET[1]),
    (dataset(lambda v: [replace(v[0], images=broken_image(v[0]))]), EVERY_DATASET[1]),
    (dataset(lambda v: [unchecked(v[0], regions=np.ones((1, 3, 3), bool))]), EVERY_DATASET[2]),
    (dataset(lambda v: [unchecked(v[0], regions=np.ones(v[0].images.shape[:3]))]), EVERY_DATASET[2]),
    (dataset(lambda v: [replace(v[0], labels=(2,))]), EVERY_DATASET[3]),
    (dataset(lambda v: [replace(v[0], labels=(-1,))]), EVERY_DATASET[3]),
    (dataset(lambda v: [replace(v[0], spacing_mm=(0.0, 1.0))]), EVERY_DATASET[3]),
    (dataset(lambda v: [replace(v[0], spacing_mm=(float("nan"), 1.0))]), EVERY_DATASET[3]),
    (
        dataset(lambda v: [replace(v[0], images=v[0].images + np.float32(DRAWN.random()))]),
        EVERY_DATASET[4],
    ),
    (dataset(lambda v: v, notes=lambda self: ["four patients"]), EVERY_DATASET[5]),
]


@pytest.mark.parametrize(("made", "broken"), BROKEN_DATASETS)
def test_a_dataset_that_breaks_a_promise_is_found(made: Any, broken: Callable[..., None]) -> None:
    found = problems(run_checks(EVERY_DATASET, made))
    assert said(broken) in found
    assert not found[said(broken)].startswith("it raises")


# ---------------------------------------------------------------- models


def model(**members: Any) -> Any:
    facts = {
        name: members.pop(name)
        for name in ("classifiers", "facts", "record", "class_names")
        if name in members
    }
    made = type("Made", (HonestModel,), members)
    return made("made", **{"classifiers": (CLASSIFIER,), **facts})


BROKEN_MODELS: list[tuple[LoadedModel, Callable[..., None]]] = [
    (model(classifiers=()), EVERY_MODEL[0]),
    (model(classifiers=(CLASSIFIER, HonestClassifier(np.ones((2, 3))))), EVERY_MODEL[0]),
    (model(match=lambda self, volume: Match(1)), EVERY_MODEL[1]),
    (model(match=lambda self, volume: Match(0, str(GLOBAL.random()))), EVERY_MODEL[1]),
    (model(held_out=lambda self, matches: ("yes", [])), EVERY_MODEL[2]),
    (model(record={"array": np.ones(2)}), EVERY_MODEL[3]),
    (model(class_names=("one", "two", "three")), EVERY_MODEL[4]),
    (model(class_names=("one", "one")), EVERY_MODEL[4]),
]


@pytest.mark.parametrize(("made", "broken"), BROKEN_MODELS)
def test_a_model_that_breaks_a_promise_is_found(made: LoadedModel, broken: Callable[..., None]) -> None:
    found = problems(run_checks(EVERY_MODEL, made))
    assert said(broken) in found
    assert not found[said(broken)].startswith("it raises")


# ---------------------------------------------------------------- classifiers


def classifier(**members: Any) -> HonestClassifier:
    made: HonestClassifier = type("Made", (HonestClassifier,), members)()
    return made


HONEST = HonestClassifier


def uncounted(self: Any, images: np.ndarray) -> np.ndarray:
    before = self.passes
    scores = HONEST.scores(self, images)
    self.passes = before
    return scores


def on_black(self: Any, image: np.ndarray, masks: np.ndarray, baseline: np.ndarray) -> np.ndarray:
    return HONEST._scores(self, masks[..., None] * image)


def randomises_itself(self: Any, seed: int, upto: str) -> Any:
    other = HONEST.randomised(self, seed, upto)
    self.head = other.head + 1
    return other


BROKEN_CLASSIFIERS: list[tuple[HonestClassifier, Callable[..., None]]] = [
    (classifier(_scores=lambda self, x: HONEST._scores(self, x) * 2), EVERY_CLASSIFIER[0]),
    (classifier(_scores=lambda self, x: HONEST._scores(self, x) / 2), EVERY_CLASSIFIER[0]),
    (classifier(n_classes=3), EVERY_CLASSIFIER[0]),
    (classifier(_scores=lambda self, x: HONEST._scores(self, x / x.max())), EVERY_CLASSIFIER[1]),
    (classifier(_masked_scores=on_black), EVERY_CLASSIFIER[2]),
    (classifier(scores=uncounted), EVERY_CLASSIFIER[3]),
    (classifier(remembered_scores=lambda self, x: HONEST.scores(self, x)[::-1]), EVERY_CLASSIFIER[4]),
    (classifier(_logits=lambda self, x: HONEST._logits(self, x) * 2), EVERY_CLASSIFIER[5]),
    (classifier(_input_gradients=lambda self, x, t: -HONEST._input_gradients(self, x, t)), EVERY_CLASSIFIER[6]),
    (
        classifier(_logits_from_features=lambda self, f, layer: HONEST._logits(self, f) + 1),
        EVERY_CLASSIFIER[7],
    ),
    (classifier(randomised=lambda self, seed, upto: self), EVERY_CLASSIFIER[8]),
    (classifier(randomised=randomises_itself), EVERY_CLASSIFIER[8]),
    (classifier(offers=frozenset({Need.SCORES}), features=lambda self, x: x), EVERY_CLASSIFIER[9]),
]  # fmt: skip


@pytest.mark.parametrize(("made", "broken"), BROKEN_CLASSIFIERS)
def test_a_classifier_that_breaks_a_promise_is_found(
    made: HonestClassifier, broken: Callable[..., None]
) -> None:
    found = problems(run_checks(EVERY_CLASSIFIER, made))
    assert said(broken) in found
    assert not found[said(broken)].startswith("it raises")


# ---------------------------------------------------------------- all of them


def test_every_check_has_a_plugin_that_breaks_its_promise() -> None:
    broken = [*BROKEN_METHODS, *BROKEN_METRICS, *BROKEN_DATASETS, *BROKEN_MODELS, *BROKEN_CLASSIFIERS]
    checks = [*EVERY_METHOD, *CASE_METRIC, *EVERY_DATASET, *EVERY_MODEL, *EVERY_CLASSIFIER]
    assert {said(function) for _, function in broken} >= {said(function) for function in checks}


@pytest.mark.parametrize(
    "made",
    [Brightness(), Drawn(), WithDetails(), Promises(), Stacked(), Mean(), Again(), Together(), ClassMean()],
)
def test_well_behaved_methods_and_metrics_have_no_problem(made: Any) -> None:
    made = replace(made) if not isinstance(made, Mean) else metric(lambda case, heatmap, explain: 1.0)
    assert problems(check(trial_of(made))) == {}


def test_well_behaved_sources_have_no_problem() -> None:
    assert problems(run_checks(EVERY_DATASET, HonestDataset())) == {}
    assert problems(check_model(HonestSource())) == {}
    assert problems(run_checks(EVERY_CLASSIFIER, HonestClassifier())) == {}


def test_a_promise_that_has_no_meaning_here_is_skipped_with_the_reason() -> None:
    only_scores = classifier(offers=frozenset({Need.SCORES}))
    findings = {finding.check: finding for finding in run_checks(EVERY_CLASSIFIER, only_scores)}
    skipped = findings[said(EVERY_CLASSIFIER[6])]
    assert (skipped.problem, skipped.skipped) == ("", "the classifier does not offer input gradients")
    assert skipped.told == skipped.skipped
    assert problems(iter(findings.values())) == {}
