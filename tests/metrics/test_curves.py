"""Deletion and insertion: against a plain loop, and on a linear model whose curve is known by hand."""

import itertools

import numpy as np
import pytest

from tests.metrics.conftest import case_of, explanation_of, never
from tests.metrics.plain_classifier import Linear, Network, images
from xaibench.api import NotApplicable, XaibenchError
from xaibench.metrics.common import baselines
from xaibench.metrics.common.shifts import with_shifted
from xaibench.metrics.deletion_auc import DeletionAuc
from xaibench.metrics.insertion_auc import InsertionAuc

BOTH = [DeletionAuc, InsertionAuc]
HEATMAP = np.random.default_rng(0).normal(size=(16, 16)).astype(np.float32)


def score(metric, classifier, image: np.ndarray, heatmap: np.ndarray, target: int = 1):
    return metric(classifier, case_of(image), explanation_of(heatmap, target), never)


def subject(baseline: str) -> tuple[Network, np.ndarray, int]:
    """A network, an image, and the class that the image shows more than its baseline does."""
    classifier = Network(gain=20)
    image = images(classifier, 1)[0]
    whole, empty = classifier.scores(np.stack([image, baselines.FIXED[baseline](image)]))
    return classifier, image, int(whole[1] > empty[1])


def plainly(metric, classifier, image, heatmap, target, replaced) -> float:
    """One image at a time, one pixel after the other, points joined by straight lines."""
    height, width = heatmap.shape
    pixels = height * width
    order = sorted(((y, x) for y in range(height) for x in range(width)), key=lambda p: -heatmap[p])
    deleting = isinstance(metric, DeletionAuc)
    changed = (image if deleting else replaced).copy()
    source = replaced if deleting else image
    points = [(0.0, classifier.scores(changed[None])[0, target])]
    done = 0
    for step in range(1, metric.steps + 1):
        share = step / metric.steps
        if metric.spacing == "geometric":
            share = 0.001 ** (1 - (step - 1) / (metric.steps - 1))
        until = max(1, round(share * pixels))
        for y, x in order[done:until]:
            changed[y, x] = source[y, x]
        done = until
        points.append((until / pixels, classifier.scores(changed[None])[0, target]))
    return sum((a + b) / 2 * (q - p) for (p, a), (q, b) in itertools.pairwise(points))


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("baseline", ["blur", "mean", "black"])
@pytest.mark.parametrize(("steps", "spacing"), [(2, "equal"), (7, "equal"), (20, "equal"), (9, "geometric")])
def test_area_agrees_with_a_plain_loop(kind, baseline, steps, spacing) -> None:
    classifier, image, target = subject(baseline)
    metric = kind(steps=steps, baseline=baseline, spacing=spacing)
    replaced = baselines.FIXED[baseline](image)
    got = score(metric, classifier, image, HEATMAP, target).value
    assert got == pytest.approx(plainly(metric, classifier, image, HEATMAP, target, replaced), abs=1e-5)


@pytest.mark.parametrize("kind", BOTH)
def test_the_gain_is_over_the_areas_of_the_shifted_maps(kind) -> None:
    classifier, image, target = subject("mean")
    metric, replaced = kind(steps=6, baseline="mean", seed=4), baselines.mean(image)
    own, *shifted = [
        plainly(metric, classifier, image, copy, target, replaced)
        for copy in with_shifted(HEATMAP, case_of(image), 4)
    ]
    gain = score(metric, classifier, image, HEATMAP, target).details["gain"]
    sign = -1 if kind is DeletionAuc else 1
    assert gain == pytest.approx(sign * (own - np.mean(shifted)), abs=1e-5)
    assert abs(gain) > 1e-3


def near_linear(size: int = 8) -> tuple:
    """Model whose probability is 1/2 + (sum of w x) / 4 to good accuracy, and an image that shows w itself."""
    weights = np.zeros((size, size, 1))
    weights[:2] = 2e-2  # a quarter of the pixels carry all evidence
    image = np.ones((size, size, 1), np.float32)
    image[-1, -1] = 0  # what the black baseline takes
    return Linear(weights), image, weights[..., 0]


@pytest.mark.parametrize("kind", BOTH)
def test_on_a_linear_model_the_perfect_map_has_the_area_known_by_hand(kind) -> None:
    classifier, image, weights = near_linear()
    metric = kind(steps=4, baseline="black")
    # Deletion falls from 1 to 0 within the first quarter: points 1 0 0 0 0. Insertion is its mirror image.
    expected = 0.125 if kind is DeletionAuc else 0.875
    best = score(metric, classifier, image, weights).details
    assert best["normalised"] == pytest.approx(expected, abs=1e-4)
    worst = score(metric, classifier, image, -weights).details
    assert worst["normalised"] == pytest.approx(1 - expected, abs=1e-4)
    assert best["gain"] > 0 > worst["gain"]


@pytest.mark.parametrize("kind", BOTH)
def test_geometric_spacing_tells_maps_apart_that_all_find_a_small_finding(kind) -> None:
    weights = np.zeros((64, 64, 1))
    weights[:2, :4] = 1  # 8 of 4096 pixels
    image = np.concatenate([np.ones(4095), np.zeros(1)]).reshape(64, 64, 1)
    sharp, blunt = weights[..., 0], np.zeros((64, 64))
    blunt[:8, :8] = 1 + np.random.default_rng(0).random((8, 8))  # right, with much around it
    for spacing, apart in (("equal", False), ("geometric", True)):
        metric = kind(baseline="black", spacing=spacing)
        one, other = (score(metric, Linear(weights, -4), image, heatmap).value for heatmap in (sharp, blunt))
        assert (abs(one - other) > 0.003) == apart


@pytest.mark.parametrize("kind", BOTH)
def test_trap_03_the_area_does_not_depend_on_the_number_of_steps(kind) -> None:
    classifier, image, target = subject("blur")
    areas = [score(kind(steps=steps), classifier, image, HEATMAP, target).value for steps in (8, 16, 64)]
    assert max(areas) - min(areas) < 0.02
    assert 0 < min(areas) <= max(areas) < 1


@pytest.mark.parametrize("kind", BOTH)
def test_trap_03_a_baseline_is_made_of_the_unperturbed_image(kind, monkeypatch) -> None:
    classifier, image, target = subject("mean")
    seen = []
    masked = classifier.masked_scores
    monkeypatch.setattr(classifier, "masked_scores", lambda i, m, b: seen.append(b) or masked(i, m, b))
    score(kind(baseline="mean"), classifier, image, HEATMAP, target)
    np.testing.assert_allclose(seen[0], np.full((16, 16, 1), image.mean()), rtol=1e-5)


@pytest.mark.parametrize("kind", BOTH)
def test_trap_07_ties_follow_neither_raster_order_nor_its_reverse(kind) -> None:
    classifier, image, _ = near_linear()
    draws = [
        score(kind(steps=4, baseline="black", seed=seed), classifier, image, np.zeros((8, 8))).details
        for seed in range(60)
    ]
    normalised = [details["normalised"] for details in draws]
    assert np.mean(normalised) == pytest.approx(0.5, abs=0.03)  # raster order gives 0.125 or 0.875
    assert max(normalised) < 0.75
    assert min(normalised) > 0.25
    assert np.mean([details["gain"] for details in draws]) == pytest.approx(0, abs=0.01)


def test_trap_07_the_share_of_tied_pixels_is_recorded() -> None:
    classifier, image, _ = near_linear()
    half = np.where(np.arange(64).reshape(8, 8) < 32, 1.0, np.arange(64).reshape(8, 8))
    assert score(DeletionAuc(baseline="black"), classifier, image, half).details["tied_share"] == 0.5


@pytest.mark.parametrize("kind", BOTH)
def test_trap_12_a_curve_and_its_shifted_copies_are_one_call_and_the_ends_are_remembered(kind) -> None:
    classifier, image, target = subject("blur")
    before = classifier.passes.forward
    for heatmap in np.random.default_rng(0).random((3, 16, 16)):
        score(kind(steps=20), classifier, image, heatmap, target)
    assert [len(masks) for masks in classifier.masked_calls] == [5 * 19] * 3
    assert classifier.passes.forward - before == 3 * 5 * 19 + 2


@pytest.mark.parametrize("kind", BOTH)
def test_insertion_is_deletion_of_the_negative_read_backwards(kind) -> None:
    classifier, image, target = subject("blur")
    inserted = score(InsertionAuc(steps=8), classifier, image, HEATMAP, target)
    deleted = score(DeletionAuc(steps=8), classifier, image, -HEATMAP, target)
    assert inserted.value == pytest.approx(deleted.value, abs=1e-6)
    assert inserted.details["gain"] == pytest.approx(-deleted.details["gain"], abs=1e-6)


@pytest.mark.parametrize("kind", BOTH)
def test_trap_29_where_the_baseline_shows_the_class_there_is_no_evidence_to_remove(kind) -> None:
    weights = np.full((4, 4, 1), 1 / 15)
    image = np.concatenate([np.zeros(1), np.ones(15)]).reshape(4, 4, 1)
    for logit in (0.19, 0.0, -3.0):  # 0.047 of probability, none, and less than none
        with pytest.raises(NotApplicable, match="there is no evidence to remove"):
            score(kind(baseline="black"), Linear(weights * logit), image, np.eye(4))
    score(kind(baseline="black"), Linear(weights * 0.21), image, np.eye(4))  # 0.052 is enough


def test_trap_13_a_heatmap_of_another_size_than_the_image_is_refused() -> None:
    classifier, image, target = subject("blur")
    with pytest.raises(ValueError, match="P001-s00: the heatmap is \\(1, 16\\) but"):
        score(DeletionAuc(), classifier, image, np.ones((1, 16)), target)


@pytest.mark.parametrize("options", [{"baseline": "grey"}, {"steps": 1}, {"spacing": "even"}])
@pytest.mark.parametrize("kind", BOTH)
def test_a_curve_that_cannot_be_is_one_sentence(kind, options) -> None:
    with pytest.raises(XaibenchError, match=r"choose one of|2 steps or more"):
        kind(**options)


@pytest.mark.parametrize("kind", BOTH)
def test_volumes_have_curves_too(kind) -> None:
    weights = 0.1 * np.random.default_rng(0).normal(size=(3, 4, 5, 1))
    image = 1 + np.random.default_rng(1).random((3, 4, 5, 1))
    target = int((weights * (image - image.min())).sum() > 0)
    assert 0 < score(kind(baseline="black"), Linear(weights), image, weights[..., 0], target).value < 1
