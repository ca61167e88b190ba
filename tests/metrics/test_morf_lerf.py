"""Most against least relevant first: against a plain loop, and 0 for maps without knowledge."""

import math

import numpy as np
import pytest

from tests.metrics.conftest import case_of, explanation_of, never
from tests.metrics.plain_classifier import Linear
from tests.metrics.test_curves import subject
from xaibench.api import NotApplicable, XaibenchError
from xaibench.metrics.common import baselines
from xaibench.metrics.morf_lerf import MorfLerf

HEATMAP = np.random.default_rng(2).normal(size=(16, 16)).astype(np.float32)


def score(metric, classifier, image: np.ndarray, heatmap: np.ndarray, target: int = 1):
    return metric(classifier, case_of(image), explanation_of(heatmap, target), never)


def plainly(points: int, classifier, image, heatmap, target, replaced) -> float:
    """Each point alone; trapezoids over the logarithm of the number of removed pixels."""
    pixels = heatmap.size
    order = np.argsort(-heatmap, axis=None).tolist()
    sizes = sorted({max(1, round(0.001 * 500 ** (i / (points - 1)) * pixels)) for i in range(points)})
    heights = []
    for size in sizes:
        answers = []
        for removed in (order[pixels - size :], order[:size]):
            copy = image.copy().reshape(pixels, -1)
            copy[removed] = replaced.reshape(pixels, -1)[removed]
            answers.append(float(classifier.scores(copy.reshape(image.shape))[target]))
        heights.append(answers[0] - answers[1])
    steps = zip(sizes, sizes[1:], heights, heights[1:], strict=False)
    area = sum((math.log(b) - math.log(a)) * (f + g) / 2 for a, b, f, g in steps)
    return area / math.log(sizes[-1] / sizes[0])


@pytest.mark.parametrize("baseline", ["blur", "mean", "black"])
@pytest.mark.parametrize("points", [2, 5, 10])
def test_area_agrees_with_a_plain_loop(baseline: str, points: int) -> None:
    classifier, image, target = subject(baseline)
    replaced = baselines.FIXED[baseline](image)
    measured = score(MorfLerf(points=points, baseline=baseline), classifier, image, HEATMAP, target)
    assert measured.value == pytest.approx(
        plainly(points, classifier, image, HEATMAP, target, replaced), abs=1e-5
    )
    whole, empty = classifier.scores(np.stack([image, replaced]))[:, target]
    assert measured.details["normalised"] == pytest.approx(measured.value / (whole - empty), rel=1e-4)


def finding(size: int = 32, baseline_logit: float = -4.0) -> tuple[Linear, np.ndarray, np.ndarray]:
    """Evidence of 9 pixels; the model says yes with them and no without."""
    weights = np.zeros((size, size, 1))
    weights[10:13, 20:23] = 8 / 9
    image = np.ones((size, size, 1))
    image[0, 0] = 0
    return Linear(weights, baseline_logit), image, weights[..., 0]


def test_a_perfect_map_approaches_the_evidence_and_its_opposite_the_negative() -> None:
    classifier, image, weights = finding()
    metric = MorfLerf(baseline="black")
    best, worst = (score(metric, classifier, image, heatmap) for heatmap in (weights, -weights))
    assert 0.6 < best.value < 0.97
    assert worst.value == pytest.approx(-best.value, abs=0.02)
    assert best.details["gain"] > 0.3


@pytest.mark.parametrize("baseline", ["black", "blur"])
def test_maps_without_knowledge_score_nought_on_average(baseline: str) -> None:
    rng = np.random.default_rng(0)
    image = rng.random((32, 32, 1)).astype(np.float32)
    evidence = image - baselines.FIXED[baseline](image)
    weights = 3 * evidence / (evidence**2).sum() + 0.1 * rng.normal(size=image.shape)
    classifier, target = Linear(weights), 1
    values = [
        score(MorfLerf(baseline=baseline), classifier, image, rng.random((32, 32)), target).value
        for _ in range(200)
    ]
    assert abs(np.mean(values)) < 3 * np.std(values) / 200**0.5 + 1e-3
    flat = [
        score(MorfLerf(baseline=baseline, seed=s), classifier, image, np.ones((32, 32)), target).value
        for s in range(200)
    ]
    assert abs(np.mean(flat)) < 3 * np.std(flat) / 200**0.5 + 1e-3
    assert len(set(flat)) > 1


def test_trap_12_both_orders_and_all_copies_are_one_call() -> None:
    classifier, image, weights = finding()
    noise = np.random.default_rng(0).normal(size=weights.shape)
    score(MorfLerf(points=10, baseline="black"), classifier, image, noise)
    [masks] = classifier.masked_calls
    assert len(masks) == 2 * 5 * 10
    assert classifier.passes.forward == 100 + 2


def test_trap_29_no_evidence_is_a_reason() -> None:
    _, image, weights = finding()
    with pytest.raises(NotApplicable, match="no evidence"):
        score(MorfLerf(baseline="black"), Linear(np.zeros((32, 32, 1))), image, weights)


@pytest.mark.parametrize("options", [{"points": 1}, {"baseline": "grey"}])
def test_impossible_options_are_one_sentence(options) -> None:
    with pytest.raises(XaibenchError, match=r"2 steps or more|choose one of"):
        MorfLerf(**options)


def test_an_image_of_few_pixels_has_a_value() -> None:
    image = np.array([[[1.0], [0.0]]])
    classifier = Linear(np.array([[[2.0], [0.0]]]))
    measured = score(MorfLerf(baseline="black"), classifier, image, np.array([[1.0, 0.0]]))
    assert measured.value == pytest.approx(1 / (1 + np.exp(-2)) - 0.5, abs=1e-6)
