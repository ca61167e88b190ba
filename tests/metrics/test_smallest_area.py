"""Smallest destroying and sufficient areas: against a plain search, and on evidence of known size."""

import numpy as np
import pytest

from tests.metrics.conftest import case_of, explanation_of, never
from tests.metrics.plain_classifier import Linear, Network, images
from xaibench.api import NotApplicable, XaibenchError
from xaibench.metrics.common import baselines
from xaibench.metrics.common.shifts import with_shifted
from xaibench.metrics.destroying_area import DestroyingArea
from xaibench.metrics.sufficient_area import SufficientArea

BOTH = [DestroyingArea, SufficientArea]
PIXELS = 32 * 32


def score(metric, classifier, image: np.ndarray, heatmap: np.ndarray, target: int = 1):
    return metric(classifier, case_of(image), explanation_of(heatmap, target), never)


def plainly(metric, classifier, image, heatmap, replaced, target) -> float:
    """Try the shares one after the other, from the smallest."""
    order = np.argsort(-heatmap, axis=None)
    for step in range(metric.points):
        size = max(1, round(1000 ** (step / (metric.points - 1) - 1) * heatmap.size))
        changed, source = (image, replaced) if isinstance(metric, DestroyingArea) else (replaced, image)
        copy = changed.copy().reshape(heatmap.size, -1)
        copy[order[:size]] = source.reshape(heatmap.size, -1)[order[:size]]
        predicted = int(classifier.scores(copy.reshape(image.shape)).argmax())
        if (predicted == target) == isinstance(metric, SufficientArea):
            return size / heatmap.size
    return 1.0


def decided(seed: int) -> tuple[Network, np.ndarray, int]:
    """A network that gives an image one class and its mean the other."""
    classifier = Network((32, 32, 1), seed=seed, gain=40)
    for image in images(classifier, 60):
        whole, empty = classifier.scores(np.stack([image, baselines.mean(image)])).argmax(axis=1)
        if whole != empty:
            return classifier, image, int(whole)
    raise AssertionError("no such image")


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_value_and_gain_agree_with_a_plain_search(kind, seed: int) -> None:
    classifier, image, target = decided(seed)
    metric, replaced = kind(baseline="mean", seed=7), baselines.mean(image)
    heatmap = np.random.default_rng(seed).normal(size=(32, 32)).astype(np.float32)
    own, *shifted = [
        plainly(metric, classifier, image, copy, replaced, target)
        for copy in with_shifted(heatmap, case_of(image), 7)
    ]
    measured = score(metric, classifier, image, heatmap, target)
    assert measured.value == pytest.approx(own)
    assert measured.details["gain"] == pytest.approx(np.mean(shifted) - own)


def finding(bias: float) -> tuple[Linear, np.ndarray, np.ndarray]:
    """Evidence of 64 pixels of 1/8 each, read against a bias."""
    weights = np.zeros((32, 32, 1))
    weights[8:16, 8:16] = 1 / 8
    image = np.ones((32, 32, 1))
    image[0, 0] = 0
    return Linear(weights, bias), image, weights[..., 0]


@pytest.mark.parametrize(("kind", "pixels"), [(DestroyingArea, 16), (SufficientArea, 48)])
def test_a_perfect_map_needs_the_pixels_known_by_hand(kind, pixels: int) -> None:
    classifier, image, weights = finding(-5.9)  # 8 of evidence: fewer than 47.2 pixels of it are not enough
    heatmap = weights + 1e-3 * np.random.default_rng(0).random((32, 32))
    value = score(kind(points=400, baseline="black"), classifier, image, heatmap).value
    assert value * PIXELS == pytest.approx(pixels + (kind is DestroyingArea), abs=1.01)


@pytest.mark.parametrize("kind", BOTH)
def test_the_worst_map_needs_almost_everything(kind) -> None:
    classifier, image, weights = finding(-4)
    measured = score(kind(baseline="black"), classifier, image, -weights)
    assert measured.value == 1
    assert measured.details["gain"] < 0


@pytest.mark.parametrize("kind", BOTH)
def test_one_call_for_the_map_and_its_copies(kind) -> None:
    classifier, image, weights = finding(-4)
    noise = np.random.default_rng(0).normal(size=weights.shape)
    score(kind(points=20, baseline="black"), classifier, image, noise)
    [masks] = classifier.masked_calls
    assert len(masks) == 5 * 18  # the first two shares are one pixel each, the last is the baseline
    assert classifier.passes.forward == 5 * 18 + 2


@pytest.mark.parametrize("kind", BOTH)
def test_trap_29_no_decision_to_change_is_a_reason(kind) -> None:
    metric = kind(baseline="black")
    _, image, weights = finding(0)
    with pytest.raises(NotApplicable, match="no evidence to remove"):  # 0.99 and 0.50
        score(metric, Linear(weights[..., None], 0.1), image, weights)
    with pytest.raises(NotApplicable, match="does not give the image the explained class"):
        score(metric, Linear(weights[..., None], -9), image, weights)
    with pytest.raises(NotApplicable, match="no evidence to remove"):
        score(metric, Linear(weights[..., None] * 0), image, weights)


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("options", [{"points": 1}, {"baseline": "grey"}])
def test_impossible_options_are_one_sentence(kind, options) -> None:
    with pytest.raises(XaibenchError, match=r"2 steps or more|choose one of"):
        kind(**options)
