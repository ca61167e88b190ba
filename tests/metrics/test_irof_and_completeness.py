"""IROF against a plain loop over segments; completeness against the promise."""

import itertools

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from tests.metrics.conftest import NO_MODEL, case_of, explanation_of, never
from tests.metrics.plain_classifier import Linear
from xaibench.api import NotApplicable, XaibenchError
from xaibench.metrics.common.shifts import with_shifted
from xaibench.metrics.completeness_gap import CompletenessGap
from xaibench.metrics.irof import Irof

RNG = np.random.default_rng(0)
IMAGE = gaussian_filter(RNG.random((40, 32, 1)), (3, 3, 0)).astype(np.float32)
EVIDENCE = IMAGE - IMAGE.mean()
MODEL = Linear(3 * EVIDENCE / float((EVIDENCE**2).sum()), -1.0)
TRUE = (EVIDENCE**2)[..., 0]


def measure(metric, heatmap, classifier=MODEL, case=None):
    return metric(classifier, case or case_of(IMAGE), explanation_of(heatmap), never)


def segments_asked(metric) -> list[np.ndarray]:
    """Segments in the order in which the true map removes them, from the masks that the model got."""
    classifier = Linear(MODEL.weights.reshape(IMAGE.shape), MODEL.bias)
    measure(metric, TRUE, classifier)
    [kept] = classifier.masked_calls
    count = next(i for i in range(1, len(kept)) if (kept[i] > kept[i - 1]).any())
    steps = [np.ones((40, 32)), *kept[:count], np.zeros((40, 32))]
    return [before > after for before, after in itertools.pairwise(steps)]


def plainly(heatmap: np.ndarray, segments: list[np.ndarray]) -> float:
    order = sorted(segments, key=lambda segment: -float(heatmap[segment].mean()))
    copy, points = IMAGE.copy(), [1.0]
    for segment in order:
        copy[segment] = IMAGE.mean()
        points.append(float(MODEL.scores(copy)[1] / MODEL.scores(IMAGE)[1]))
    return 1 - sum((a + b) / 2 for a, b in itertools.pairwise(points)) / len(segments)


def test_value_and_gain_agree_with_a_plain_loop() -> None:
    metric = Irof(seed=3)
    segments = segments_asked(metric)
    assert 10 < len(segments) < 50
    assert sum(segment.sum() for segment in segments) == IMAGE.size
    own, *shifted = [plainly(copy, segments) for copy in with_shifted(TRUE, case_of(IMAGE), 3)]
    measured = measure(metric, TRUE)
    assert measured.value == pytest.approx(own, abs=1e-5)
    assert measured.details["gain"] == pytest.approx(own - np.mean(shifted), abs=1e-5)
    assert measured.details["gain"] > 0
    assert measure(metric, -TRUE).value < measured.value


def test_one_call_and_nothing_predicted_twice() -> None:
    classifier = Linear(MODEL.weights.reshape(IMAGE.shape), MODEL.bias)
    measure(Irof(), np.ones((40, 32)), classifier)  # all copies are equal
    [kept] = classifier.masked_calls
    assert classifier.passes.forward == len(kept) + 2
    assert len(kept) < 50


def test_ties_between_segments_are_drawn() -> None:
    values = {measure(Irof(seed=seed), np.zeros((40, 32))).value for seed in range(5)}
    names = {
        measure(Irof(), np.zeros((40, 32)), case=case_of(IMAGE, name=f"P{n:03d}-s00")).value for n in range(5)
    }
    assert min(len(values), len(names)) > 3


def test_trap_29_no_evidence_is_a_reason_and_impossible_options_a_sentence() -> None:
    with pytest.raises(NotApplicable, match="no evidence"):
        measure(Irof(), TRUE, Linear(np.zeros(IMAGE.shape)))
    with pytest.raises(XaibenchError, match="choose one of"):
        Irof(baseline="grey")
    with pytest.raises(XaibenchError, match="2 steps or more"):
        Irof(segments=1)


# -------------------------------------------------------------------- completeness


@pytest.mark.parametrize(
    ("promised", "gap"), [(10.0, 0.0), (8.0, 0.25), (-10.0, 2.0), (-4.0, 3.5), (20.0, 0.5)]
)
def test_the_gap_is_relative_to_the_promise(promised: float, gap: float) -> None:
    heatmap = np.array([[4.0, -2.0], [7.0, 1.0]])
    case = case_of(np.zeros((2, 2, 1)))
    measured = CompletenessGap()(NO_MODEL, case, explanation_of(heatmap, promised=promised), never)
    assert measured.value == pytest.approx(gap)
    assert measured.details == {"promised": promised}


@pytest.mark.parametrize(("promised", "reason"), [(None, "does not promise"), (0.0, "total is 0")])
def test_no_promise_is_a_reason(promised: float | None, reason: str) -> None:
    case = case_of(np.zeros((2, 2, 1)))
    with pytest.raises(NotApplicable, match=reason):
        CompletenessGap()(NO_MODEL, case, explanation_of(np.ones((2, 2)), promised=promised), never)
