"""Replacement images against scipy and plain arithmetic; what deletion and insertion share; invariances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from tests.metrics.conftest import case_of, explanation_of, never
from tests.metrics.plain_classifier import Linear
from xaibench.api import NotApplicable
from xaibench.metrics.common import baselines, noisy_linear
from xaibench.metrics.common.curves import hottest as hottest_sets
from xaibench.metrics.common.ordering import ordering
from xaibench.metrics.common.regions import hottest_pixels
from xaibench.metrics.common.removal import Removal
from xaibench.metrics.deletion_auc import DeletionAuc

RNG = np.random.default_rng(5)
COLOUR = RNG.random((40, 24, 3), dtype=np.float32)


def test_blur_is_scipy_s_gaussian_of_the_image_mirrored_at_its_borders():
    sigma = (4, 2.4, 0)  # a tenth of each side
    expected = gaussian_filter(COLOUR.astype(float), sigma, mode="reflect", truncate=12)
    np.testing.assert_allclose(baselines.blur(COLOUR), expected, atol=1e-5)


def test_blur_leaves_a_constant_image_unchanged_up_to_its_border():
    grey = np.full((16, 12, 1), 7.5, np.float32)
    np.testing.assert_allclose(baselines.blur(grey), grey, rtol=1e-5)


def test_mean_is_of_each_channel_and_black_the_image_s_own_lowest():
    tinted = COLOUR * np.array([1, 10, 100], np.float32)
    np.testing.assert_allclose(baselines.mean(tinted)[3, 4], tinted.mean(axis=(0, 1)), rtol=1e-5)
    assert (baselines.black(tinted) == tinted.min()).all()


def test_road_fills_a_linear_ramp_exactly_inside_the_image():
    ramp = np.tile(np.arange(12, dtype=np.float32)[:, None, None], (1, 12, 1))
    kept = np.ones((12, 12), bool)
    kept[3:9, 3:9] = False
    np.testing.assert_allclose(noisy_linear.fill(ramp, kept), ramp, atol=1e-5)


def test_road_without_a_kept_pixel_is_the_mean_and_with_all_kept_the_image():
    nothing, everything = np.zeros((40, 24), bool), np.ones((40, 24), bool)
    expected = np.broadcast_to(COLOUR.mean(axis=(0, 1)), COLOUR.shape)
    np.testing.assert_allclose(noisy_linear.fill(COLOUR, nothing), expected, rtol=1e-5)
    np.testing.assert_array_equal(noisy_linear.fill(COLOUR, everything), COLOUR)


def test_road_s_noise_is_a_hundredth_of_the_range_on_removed_pixels_only():
    image = np.linspace(0, 200 / 0.98, 3600, dtype=np.float32).reshape(60, 60, 1)
    kept = np.zeros((60, 60), bool)
    kept[:5] = True
    noise = noisy_linear.draw_noise(image, seed=0)
    [filled] = noisy_linear.fill_each(image, kept[None], noise)
    np.testing.assert_array_equal(filled[:5], image[:5])
    added = (filled - noisy_linear.fill(image, kept))[5:]
    assert added.std() == pytest.approx(2, rel=0.05)
    assert abs(added.mean()) < 0.15


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
def test_filled_pixels_solve_the_equations_of_the_paper(share):
    rng = np.random.default_rng(1)
    image = rng.random((9, 7, 1)).astype(np.float32)
    kept = rng.random((9, 7)) < share
    kept[0, 0] = True
    np.testing.assert_allclose(noisy_linear.fill(image, kept)[..., 0], solved_plainly(image, kept), atol=1e-5)


def test_trap_08_road_removes_as_many_pixels_as_each_step_says_on_a_map_that_is_mostly_zero(monkeypatch):
    classifier = Linear(np.ones((16, 16, 1)) / 16, -8)
    image = np.random.default_rng(0).random((16, 16, 1)).astype(np.float32)
    seen = []
    scores = classifier.scores
    monkeypatch.setattr(classifier, "scores", lambda batch: seen.append(batch) or scores(batch))
    sparse = np.zeros((16, 16))
    sparse[3, 4:9] = 1  # 98 % of the pixels are tied
    removal = Removal(classifier, case_of(image), 1, "noisy-linear", 0)
    removal.scores(
        ~hottest_sets(ordering(sparse.astype(np.float32), 0).ranks[None], np.array([64, 128, 192]))
    )
    changed = [(copy != image).any(axis=-1).sum() for copy in seen[-1]]
    assert changed == [64, 128, 192]


def test_road_on_volumes_has_no_meaning():
    classifier = Linear(np.ones((3, 4, 5, 1)))
    with pytest.raises(NotApplicable, match="noisy-linear is defined for slices"):
        DeletionAuc(baseline="noisy-linear")(
            classifier, case_of(np.ones((3, 4, 5, 1))), explanation_of(np.ones((3, 4, 5))), never
        )


# -------------------------------------------------------------------- order


def test_order_is_by_value_whatever_its_sign_and_agrees_with_a_plain_sort() -> None:
    rng = np.random.default_rng(0)
    for scale in (1e-30, 1.0, 1e30):
        heatmap = (rng.normal(size=(13, 11)) * scale).astype(np.float32)
        ranks = ordering(heatmap, 0).ranks
        assert sorted(ranks.ravel()) == list(range(143))
        in_order = heatmap.ravel()[np.argsort(ranks.ravel())]
        np.testing.assert_array_equal(in_order, np.sort(heatmap.ravel())[::-1])


def test_only_pixels_that_share_their_value_are_tied() -> None:
    for values, share in (([1, 2, 3, 4], 0), ([1, 1, 2, 3], 0.5), ([1, 2, 3, 3], 0.5), ([1, 2, 2, 2], 0.75)):
        assert ordering(np.array([values], np.float32), 0).tied_share == share


def test_zero_and_minus_zero_are_one_value() -> None:
    heatmap = np.array([[0.0, -0.0], [-0.0, 0.0]], np.float32)
    orders = {tuple(ordering(heatmap, seed).ranks.ravel()) for seed in range(200)}
    assert len(orders) == 24
    assert ordering(heatmap, 0).tied_share == 1


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.sampled_from([2.0**-20, 0.5, 2.0**30]), st.integers(1, 5))
def test_order_survives_scaling_and_ties_are_kept_together(seed, factor, levels):
    heatmap = np.random.default_rng(seed).integers(-levels, levels + 1, (6, 7)).astype(np.float32)
    ranks, tied = ordering(heatmap, seed)
    np.testing.assert_array_equal(ordering(heatmap * np.float32(factor), seed).ranks, ranks)
    assert (np.diff(heatmap.ravel()[np.argsort(ranks, axis=None)]) <= 0).all()
    shared = [(heatmap == value).sum() > 1 for value in heatmap.ravel()]
    assert tied == pytest.approx(np.mean(shared))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 42))
def test_hottest_marks_exactly_so_many_and_none_colder_than_one_left_out(seed, count):
    heatmap = np.random.default_rng(seed).integers(0, 4, (6, 7)).astype(np.float32)
    chosen = hottest_pixels(heatmap, count, case_of(heatmap[..., None]), seed)
    assert chosen.sum() == count
    if count < 42:
        assert heatmap[chosen].min() >= heatmap[~chosen].max()


def test_trap_07_every_tied_pixel_is_as_likely_to_come_first():
    flat = np.zeros((3, 3), np.float32)
    first = [int(ordering(flat, seed).ranks.argmin()) for seed in range(1800)]
    counts = np.bincount(first, minlength=9)
    assert counts.min() > 140  # 200 expected, standard deviation 13
    assert counts.max() < 260
