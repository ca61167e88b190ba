import numpy as np
import pytest

from tests.closed_form import images, linear
from tests.methods.batches import explain
from xaibench.api import NotApplicable
from xaibench.methods.centre import Centre
from xaibench.methods.edges import Edges
from xaibench.methods.mask import Mask
from xaibench.methods.random import Random

CLASSIFIER = linear(np.ones((12, 20, 2)))
TARGETS = np.array([0, 1, 1])


def test_random_depends_on_the_seed_of_each_image_alone():
    x = images(CLASSIFIER)
    first = explain(Random(), CLASSIFIER, x, TARGETS, seeds=[5, 6, 5])
    np.testing.assert_array_equal(first, explain(Random(), CLASSIFIER, x * 3, 1 - TARGETS, seeds=[5, 6, 5]))
    np.testing.assert_array_equal(first[0], first[2])
    assert (first[0] != first[1]).mean() > 0.99
    assert 0 <= first.min() < 0.1 < 0.9 < first.max() < 1


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
    for control in (Random(), Edges(), Centre()):
        explain(control, CLASSIFIER, images(CLASSIFIER), TARGETS)
    assert CLASSIFIER.passes == before
