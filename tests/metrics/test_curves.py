"""Deletion and insertion: against a plain loop, and on a linear model whose curve is known by hand."""

import itertools

import numpy as np
import pytest

from tests.metrics.conftest import case_of, explanation_of, never
from tests.metrics.plain_classifier import Linear, Network, images
from xaibench.api import XaibenchError, seed_of
from xaibench.metrics.common import baselines, noisy_linear
from xaibench.metrics.common.ordering import ordering
from xaibench.metrics.deletion_auc import DeletionAuc
from xaibench.metrics.insertion_auc import InsertionAuc

BOTH = [DeletionAuc, InsertionAuc]


def plainly(metric, classifier, image, heatmap, target, replaced) -> float:
    """One image at a time, one pixel after the other, points joined by straight lines."""
    height, width = heatmap.shape
    order = sorted(((y, x) for y in range(height) for x in range(width)), key=lambda p: -heatmap[p])
    deleting = isinstance(metric, DeletionAuc)
    changed = (image if deleting else replaced).copy()
    source = replaced if deleting else image
    points = [classifier.scores(changed[None])[0, target]]
    done = 0
    for step in range(1, metric.steps + 1):
        until = round(step * height * width / metric.steps)
        for y, x in order[done:until]:
            changed[y, x] = source[y, x]
        done = until
        points.append(classifier.scores(changed[None])[0, target])
    return sum((a + b) / 2 for a, b in itertools.pairwise(points)) / metric.steps


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("baseline", ["blur", "mean", "black"])
@pytest.mark.parametrize("steps", [2, 7, 20])
def test_area_agrees_with_a_plain_loop(kind, baseline, steps) -> None:
    classifier = Network()
    image = images(classifier, 1)[0]
    heatmap = np.random.default_rng(0).normal(size=(16, 16)).astype(np.float32)
    metric = kind(steps=steps, baseline=baseline)
    replaced = baselines.FIXED[baseline](image)
    got = metric(classifier, case_of(image), explanation_of(heatmap), never).value
    assert got == pytest.approx(plainly(metric, classifier, image, heatmap, 1, replaced), abs=1e-5)


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
    measured = kind(steps=4, baseline="black")(classifier, case_of(image), explanation_of(weights), never)
    # Deletion falls from 1 to 0 within the first quarter: points 1 0 0 0 0. Insertion is its mirror image.
    expected = 0.125 if kind is DeletionAuc else 0.875
    assert measured.details["normalised"] == pytest.approx(expected, abs=1e-4)
    worst = kind(steps=4, baseline="black")(classifier, case_of(image), explanation_of(-weights), never)
    assert worst.details["normalised"] == pytest.approx(1 - expected, abs=1e-4)


@pytest.mark.parametrize("kind", BOTH)
def test_trap_03_the_area_does_not_depend_on_the_number_of_steps(kind) -> None:
    classifier = Network()
    image = images(classifier, 1)[0]
    heatmap = np.random.default_rng(0).random((16, 16))
    areas = [
        kind(steps=steps)(classifier, case_of(image), explanation_of(heatmap), never).value
        for steps in (8, 16, 64)
    ]
    assert max(areas) - min(areas) < 0.02
    assert 0 < min(areas) <= max(areas) < 1


@pytest.mark.parametrize("kind", BOTH)
def test_trap_07_ties_follow_neither_raster_order_nor_its_reverse(kind) -> None:
    classifier, image, _ = near_linear()
    flat = explanation_of(np.zeros((8, 8)))
    draws = [
        kind(steps=4, baseline="black", seed=seed)(classifier, case_of(image), flat, never).details[
            "normalised"
        ]
        for seed in range(60)
    ]
    assert np.mean(draws) == pytest.approx(0.5, abs=0.03)  # raster order gives 0.125 or 0.875
    assert max(draws) < 0.75
    assert min(draws) > 0.25


def test_trap_07_the_share_of_tied_pixels_is_recorded() -> None:
    classifier, image, _ = near_linear()
    half = np.where(np.arange(64).reshape(8, 8) < 32, 1.0, np.arange(64).reshape(8, 8))
    measured = DeletionAuc()(classifier, case_of(image), explanation_of(half), never)
    assert measured.details["tied_share"] == 0.5


@pytest.mark.parametrize("kind", BOTH)
def test_trap_12_a_curve_is_one_call_and_its_ends_are_predicted_once_a_case(kind) -> None:
    classifier = Network()
    calls = []
    masked_scores = classifier.masked_scores
    classifier.masked_scores = lambda image, masks, baseline: (
        calls.append(len(masks)) or masked_scores(image, masks, baseline)
    )
    image = images(classifier, 1)[0]
    rng = np.random.default_rng(0)
    for _ in range(3):
        kind(steps=20)(classifier, case_of(image), explanation_of(rng.random((16, 16))), never)
    assert calls == [19, 19, 19]
    assert len(classifier.remembered) == 2


@pytest.mark.parametrize("kind", BOTH)
def test_trap_03_a_baseline_is_made_of_the_unperturbed_image(kind) -> None:
    classifier = Network()
    seen = []
    masked_scores = classifier.masked_scores
    classifier.masked_scores = lambda image, masks, baseline: (
        seen.append(baseline) or masked_scores(image, masks, baseline)
    )
    image = images(classifier, 1)[0]
    kind(baseline="mean")(classifier, case_of(image), explanation_of(image[..., 0]), never)
    np.testing.assert_allclose(seen[0], np.full((16, 16, 1), image.mean()), rtol=1e-5)


def test_normalised_is_left_out_where_the_ends_coincide() -> None:
    classifier = Linear(np.zeros((8, 8, 1)))
    image = np.ones((8, 8, 1), np.float32)
    measured = DeletionAuc()(classifier, case_of(image), explanation_of(np.ones((8, 8))), never)
    assert measured.value == pytest.approx(0.5)
    assert "normalised" not in measured.details


@pytest.mark.parametrize("options", [{"baseline": "grey"}, {"steps": 1}])
def test_a_curve_that_cannot_be_is_one_sentence(options) -> None:
    with pytest.raises(XaibenchError, match=r"choose one of|2 steps or more"):
        DeletionAuc(**options)


# -------------------------------------------------------------------- noisy linear (ROAD)


def solved_plainly(image: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The weighted-mean equations written pixel by pixel and solved densely."""
    height, width = kept.shape
    unknown = [(y, x) for y in range(height) for x in range(width) if not kept[y, x]]
    matrix, right = np.zeros((len(unknown), len(unknown))), np.zeros(len(unknown))
    for row, (y, x) in enumerate(unknown):
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                if (dy, dx) == (0, 0) or not (0 <= y + dy < height and 0 <= x + dx < width):
                    continue
                weight = 1 / 6 if dy == 0 or dx == 0 else 1 / 12
                matrix[row, row] += weight
                if kept[y + dy, x + dx]:
                    right[row] += weight * image[y + dy, x + dx, 0]
                else:
                    matrix[row, unknown.index((y + dy, x + dx))] -= weight
    filled = image[..., 0].astype(float)
    for place, value in zip(unknown, np.linalg.solve(matrix, right), strict=True):
        filled[place] = value
    return filled


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_filled_pixels_solve_the_equations_of_the_paper(share) -> None:
    rng = np.random.default_rng(1)
    image = rng.random((9, 7, 1)).astype(np.float32)
    kept = rng.random((9, 7)) < share
    kept[0, 0] = True
    np.testing.assert_allclose(noisy_linear.fill(image, kept)[..., 0], solved_plainly(image, kept), atol=1e-5)


def test_trap_08_road_removes_as_many_pixels_as_each_step_says_on_a_map_that_is_mostly_zero() -> None:
    classifier = Network()
    seen = []
    scores = classifier.scores
    classifier.scores = lambda batch: seen.append(batch) or scores(batch)
    image = images(classifier, 1)[0]
    sparse = np.zeros((16, 16))
    sparse[3, 4:9] = 1  # 98 % of the pixels are tied
    DeletionAuc(steps=4, baseline="noisy-linear")(classifier, case_of(image), explanation_of(sparse), never)
    inner = next(batch for batch in seen if batch.ndim == 4 and len(batch) == 3)
    changed = [(copy != image).any(axis=-1).sum() for copy in inner]
    assert changed == [64, 128, 192]


def test_noisy_linear_is_the_same_for_every_method_of_a_case() -> None:
    classifier = Network()
    image = images(classifier, 1)[0]
    one = DeletionAuc(baseline="noisy-linear", steps=4)
    values = {one(classifier, case_of(image), explanation_of(image[..., 0]), never).value for _ in range(2)}
    assert len(values) == 1


# -------------------------------------------------------------------- order


def test_order_is_by_value_whatever_its_sign_and_agrees_with_a_plain_sort() -> None:
    rng = np.random.default_rng(0)
    for scale in (1e-30, 1.0, 1e30):
        heatmap = (rng.normal(size=(13, 11)) * scale).astype(np.float32)
        ranks = ordering(heatmap, 0).ranks
        assert sorted(ranks.ravel()) == list(range(143))
        in_order = heatmap.ravel()[np.argsort(ranks.ravel())]
        np.testing.assert_array_equal(in_order, np.sort(heatmap.ravel())[::-1])


def test_zero_and_minus_zero_are_one_value() -> None:
    heatmap = np.array([[0.0, -0.0], [-0.0, 0.0]], np.float32)
    orders = {tuple(ordering(heatmap, seed).ranks.ravel()) for seed in range(200)}
    assert len(orders) == 24
    assert ordering(heatmap, 0).tied_share == 1


def test_the_seed_of_a_tie_is_the_case_and_not_the_method() -> None:
    flat = np.ones((6, 6), np.float32)
    one, other = (ordering(flat, seed_of(0, name, "deletion-auc")).ranks for name in ("P001-s00", "P002-s00"))
    assert (one != other).any()
