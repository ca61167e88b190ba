import numpy as np
import pytest

from tests.closed_form import images, linear
from tests.methods.batches import explain
from xaibench.api import NotApplicable
from xaibench.methods.centre import Centre
from xaibench.methods.edges import Edges
from xaibench.methods.mask import Mask
from xaibench.methods.random import Random
from xaibench.methods.random_smooth import RandomSmooth
from xaibench.methods.upsampling import upsample

CLASSIFIER = linear(np.ones((12, 20, 2)))
TARGETS = np.array([0, 1, 1])


def test_random_depends_on_the_seed_of_each_image_alone():
    x = images(CLASSIFIER)
    first = explain(Random(), CLASSIFIER, x, TARGETS, seeds=[5, 6, 5])
    np.testing.assert_array_equal(first, explain(Random(), CLASSIFIER, x * 3, 1 - TARGETS, seeds=[5, 6, 5]))
    np.testing.assert_array_equal(first[0], first[2])
    assert (first[0] != first[1]).mean() > 0.99
    assert 0 <= first.min() < 0.1 < 0.9 < first.max() < 1


def test_smooth_random_is_the_convolution_of_noise_with_a_gaussian():
    noise = np.random.default_rng(7).standard_normal((12, 20), dtype=np.float32)
    bells = []
    for size in (12, 20):
        distance = np.abs(np.arange(size)[:, None] - np.arange(size))
        distance = np.minimum(distance, size - distance)  # round the border
        bell = np.exp(-0.5 * (distance / (0.1 * size)) ** 2)
        bells.append(bell / bell.sum(axis=1, keepdims=True))
    heatmap = explain(RandomSmooth(sigma=0.1), CLASSIFIER, images(CLASSIFIER, 1), 1, seeds=7)[0]
    np.testing.assert_allclose(heatmap, bells[0] @ noise @ bells[1].T, atol=2e-3)


def test_smooth_random_depends_on_the_seed_of_each_image_alone():
    x = images(CLASSIFIER)
    first = explain(RandomSmooth(), CLASSIFIER, x, TARGETS, seeds=[5, 6, 5])
    np.testing.assert_array_equal(
        first, explain(RandomSmooth(), CLASSIFIER, x * 3, 1 - TARGETS, seeds=[5, 6, 5])
    )
    np.testing.assert_array_equal(first[0], first[2])
    assert (first[0] != first[1]).mean() > 0.99


def test_smooth_random_is_as_smooth_as_an_enlarged_7_by_7_map_and_even_at_the_borders():
    classifier = linear(np.ones((84, 84, 1)))
    x = np.zeros((300, 84, 84, 1), np.float32)
    heatmaps = explain(RandomSmooth(), classifier, x, 1, seeds=np.arange(300))
    enlarged = upsample(np.random.default_rng(0).normal(size=(300, 7, 7)).astype(np.float32), (84, 84))
    ours, theirs = (half_width(maps[:, 14:-14, 14:-14]) for maps in (heatmaps, enlarged))
    assert abs(ours - theirs) <= 2
    spread = heatmaps.std(axis=0)
    assert spread[0].mean() == pytest.approx(spread[42].mean(), rel=0.1)


def half_width(maps):
    """Distance in pixels at which neighbours correlate by less than one half."""
    for distance in range(1, 30):
        pairs = maps[:, :, distance:].ravel(), maps[:, :, :-distance].ravel()
        if np.corrcoef(*pairs)[0, 1] < 0.5:
            return distance
    return 30


def test_edges_agree_with_the_sobel_sums_written_as_loops():
    x = images(CLASSIFIER, 2)
    grey = np.pad(x.mean(axis=-1), [(0, 0), (1, 1), (1, 1)], mode="edge")
    smooth, expected = [0.25, 0.5, 0.25], np.zeros((2, 12, 20))
    for n, i, j in np.ndindex(expected.shape):
        down = sum(smooth[b] * (grey[n, i + 2, j + b] - grey[n, i, j + b]) / 2 for b in range(3))
        across = sum(smooth[a] * (grey[n, i + a, j + 2] - grey[n, i + a, j]) / 2 for a in range(3))
        expected[n, i, j] = np.sqrt(down**2 + across**2)
    np.testing.assert_allclose(explain(Edges(), CLASSIFIER, x, TARGETS[:2]), expected, atol=1e-6)


def test_edges_of_a_ramp_are_its_slope():
    ramp = np.broadcast_to(3 * np.arange(20, dtype=np.float32)[:, None], (1, 12, 20, 2)).copy()
    heatmap = explain(Edges(), CLASSIFIER, ramp, TARGETS[:1])[0]
    np.testing.assert_allclose(heatmap[:, 1:-1], 3, rtol=1e-5)


def test_centre_is_highest_in_the_middle_and_the_same_in_every_direction():
    heatmap = explain(Centre(sigma=0.2), CLASSIFIER, images(CLASSIFIER), TARGETS)[1]
    np.testing.assert_allclose(heatmap, heatmap[::-1, ::-1], rtol=1e-5)
    assert heatmap.argmax() in {5 * 20 + 9, 5 * 20 + 10, 6 * 20 + 9, 6 * 20 + 10}
    # half a height and half a width from the middle, less half a pixel: 2.5 standard deviations each
    edge = np.exp(-0.5 * ((0.5 - 0.5 / 12) ** 2 + (0.5 - 0.5 / 20) ** 2) / 0.2**2)
    np.testing.assert_allclose(heatmap[0, 0], edge, rtol=1e-5)


def test_mask_is_the_annotation_as_a_heatmap():
    masks = np.random.default_rng(0).random((3, 12, 20)) < 0.3
    heatmaps = explain(Mask(), CLASSIFIER, images(CLASSIFIER), TARGETS, regions=masks)
    assert heatmaps.dtype == np.float32
    np.testing.assert_array_equal(heatmaps, masks)


def test_mask_means_nothing_without_an_annotation():
    with pytest.raises(NotApplicable, match="no annotated region"):
        explain(Mask(), CLASSIFIER, images(CLASSIFIER), TARGETS)


def test_controls_ask_the_model_nothing():
    before = CLASSIFIER.passes
    for control in (Random(), RandomSmooth(), Edges(), Centre()):
        explain(control, CLASSIFIER, images(CLASSIFIER), TARGETS)
    assert CLASSIFIER.passes == before
