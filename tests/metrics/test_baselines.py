"""Replacement images against scipy and plain arithmetic; what deletion and insertion share; invariances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from tests.metrics.conftest import case_of, explanation_of, never
from tests.metrics.plain_classifier import Linear, Network, images
from xaibench.metrics.common import baselines, noisy_linear
from xaibench.metrics.common.ordering import hottest, ordering
from xaibench.metrics.deletion_auc import DeletionAuc
from xaibench.metrics.insertion_auc import InsertionAuc

RNG = np.random.default_rng(5)
COLOUR = RNG.random((40, 24, 3), dtype=np.float32)


def test_blur_is_scipy_s_gaussian_of_the_image_mirrored_at_its_borders():
    sigma = (baselines.BLUR * 40, baselines.BLUR * 24, 0)
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


@pytest.mark.parametrize("baseline", ["blur", "mean", "black", "noisy-linear"])
def test_trap_12_deletion_and_insertion_of_every_heatmap_share_the_two_ends(baseline):
    classifier = Network()
    predicted = []
    scores = classifier.scores
    classifier.scores = lambda batch: predicted.append(batch.shape) or scores(batch)
    image = images(classifier, 1)[0]
    for heatmap in np.random.default_rng(0).normal(size=(3, 16, 16)):
        for kind in (DeletionAuc, InsertionAuc):
            kind(steps=4, baseline=baseline)(classifier, case_of(image), explanation_of(heatmap), never)
    assert predicted.count(image.shape) == 2  # the image and its replacement, once each


def test_trap_12_passes_are_the_inner_points_and_two_ends():
    classifier = Network()
    image = images(classifier, 1)[0]
    DeletionAuc(steps=20)(classifier, case_of(image), explanation_of(image[..., 0]), never)
    assert classifier.passes.forward == 19 + 2
    assert classifier.passes.backward == 0


@pytest.mark.parametrize("baseline", ["blur", "noisy-linear"])
def test_insertion_of_a_map_is_deletion_of_its_negative_read_backwards(baseline):
    classifier = Linear(0.1 * np.random.default_rng(1).normal(size=(16, 16, 1)))
    image = images(classifier, 1)[0]
    heatmap = np.random.default_rng(0).normal(size=(16, 16))
    options = {"steps": 8, "baseline": baseline}
    inserted = InsertionAuc(**options)(classifier, case_of(image), explanation_of(heatmap), never)
    deleted = DeletionAuc(**options)(classifier, case_of(image), explanation_of(-heatmap), never)
    assert inserted.value == pytest.approx(deleted.value, abs=1e-6)
    assert inserted.details["normalised"] == pytest.approx(deleted.details["normalised"], rel=1e-4)


@pytest.mark.parametrize(("logit", "present"), [(0.1, False), (0.3, True), (-0.3, True)])
def test_curves_are_rescaled_only_where_the_ends_are_apart(logit, present):
    classifier = Linear(np.full((4, 4, 1), logit / 15))  # the ends differ by 0.025 or 0.074
    case = case_of(np.concatenate([np.zeros(1), np.ones(15)]).reshape(4, 4, 1))
    measured = DeletionAuc(baseline="black")(classifier, case, explanation_of(np.eye(4)), never)
    assert ("normalised" in measured.details) is present
    if present:
        assert measured.details["normalised"] == pytest.approx(0.5, abs=0.05)  # all pixels weigh the same


def test_steps_that_do_not_divide_the_image_remove_the_nearest_number_of_pixels():
    classifier = Linear(np.zeros((5, 5, 1)))
    seen = []
    masked_scores = classifier.masked_scores
    classifier.masked_scores = lambda image, masks, baseline: (
        seen.append(masks) or masked_scores(image, masks, baseline)
    )
    heatmap = np.random.default_rng(0).normal(size=(5, 5))
    DeletionAuc(steps=7)(classifier, case_of(np.ones((5, 5, 1))), explanation_of(heatmap), never)
    removed = (~seen[0]).sum(axis=(1, 2)).tolist()
    assert removed == [4, 7, 11, 14, 18, 21]  # 25 / 7 = 3.57 a step


def test_trap_13_a_heatmap_of_another_size_than_the_image_is_refused():
    classifier = Network()
    wide = explanation_of(np.ones((1, 16)))
    with pytest.raises(ValueError, match="P001-s00: the heatmap"):
        DeletionAuc()(classifier, case_of(images(classifier, 1)[0]), wide, never)


# -------------------------------------------------------------------- order


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
@given(st.integers(0, 2**32 - 1), st.integers(0, 42))
def test_hottest_marks_exactly_so_many_and_none_colder_than_one_left_out(seed, count):
    heatmap = np.random.default_rng(seed).integers(0, 4, (6, 7)).astype(np.float32)
    chosen = hottest(heatmap, count, seed)
    assert chosen.sum() == count
    if 0 < count < 42:
        assert heatmap[chosen].min() >= heatmap[~chosen].max()


def test_trap_07_every_tied_pixel_is_as_likely_to_come_first():
    flat = np.zeros((3, 3), np.float32)
    first = [int(ordering(flat, seed).ranks.argmin()) for seed in range(1800)]
    counts = np.bincount(first, minlength=9)
    assert counts.min() > 140  # 200 expected, standard deviation 13
    assert counts.max() < 260
