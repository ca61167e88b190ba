import numpy as np
import pytest

from tests.closed_form import images, linear
from tests.methods.batches import explain
from xaibench.api import XaibenchError
from xaibench.methods.occlusion import Occlusion, Patches, windows


def classifier_of(height=12, width=20, channels=2):
    weights = np.random.default_rng(3).normal(size=(height, width, channels)) / 20
    return linear(weights)


def slow_occlusion(classifier, image, target, patch, stride):
    """One occluded copy at a time: positions at multiples of the stride, and one flush with the border."""
    height, width, _ = image.shape
    size = [round(side * patch) for side in (height, width)]
    steps = [round(side * stride) for side in (height, width)]
    starts = []
    for side, length, step in zip((height, width), size, steps, strict=True):
        places = list(range(0, side - length + 1, step))
        starts.append(places if places[-1] == side - length else [*places, side - length])
    whole = classifier.scores(image[None])[0, target]
    total, covers = np.zeros((height, width)), np.zeros((height, width))
    for top in starts[0]:
        for left in starts[1]:
            copy = image.copy()
            copy[top : top + size[0], left : left + size[1]] = image.mean(axis=(0, 1))
            fall = whole - classifier.scores(copy[None])[0, target]
            total[top : top + size[0], left : left + size[1]] += fall
            covers[top : top + size[0], left : left + size[1]] += 1
    return total / covers


@pytest.mark.parametrize(("patch", "stride"), [(0.25, 0.25), (0.25, 0.15), (0.4, 0.3)])
def test_trap_17_occlusion_of_a_wide_image_agrees_with_a_plain_loop(patch, stride):  # not transposed
    classifier = classifier_of()
    x = images(classifier, 2)
    heatmaps = explain(Occlusion(patch=patch, stride=stride), classifier, x, np.array([1, 0]))
    expected = [slow_occlusion(classifier, x[n], 1 - n, patch, stride) for n in range(2)]
    np.testing.assert_allclose(heatmaps, expected, atol=1e-5)


def test_occlusion_finds_the_one_pixel_that_matters():
    weights = np.zeros((16, 16, 1))
    weights[3, 12] = 2
    classifier = linear(weights)
    image = np.zeros((1, 16, 16, 1), np.float32)
    image[0, 3, 12] = 1
    heatmap = explain(Occlusion(patch=1 / 16, stride=1 / 16), classifier, image, 1)[0]
    mean = 1 / 256
    fall = 1 / (1 + np.exp(-2)) - 1 / (1 + np.exp(-2 * mean))
    np.testing.assert_allclose(heatmap[3, 12], fall, atol=1e-6)
    heatmap[3, 12] = 0
    np.testing.assert_allclose(heatmap, 0, atol=1e-6)


@pytest.mark.parametrize("size", [16, 17, 23, 128, 224])
def test_trap_17_occlusion_covers_the_trailing_border(size):
    covered = windows(size, 1 / 8, 1 / 16)
    assert covered.any(axis=0).all()
    assert covered[-1, -1]
    assert len(np.unique(covered.sum(axis=1))) == 1  # no patch is cut off at the border


@pytest.mark.parametrize("size", [16, 17, 23])
def test_no_position_is_predicted_twice(size):
    rows = windows(size, 0.25, 0.125)
    masks = Patches(rows, rows)[:]
    assert len(np.unique(masks.reshape(len(masks), -1), axis=0)) == len(masks) == len(Patches(rows, rows))


def test_trap_17_the_grey_of_the_patch_follows_the_intensity_scale():  # no fixed 127.5
    weights = np.random.default_rng(3).normal(size=(16, 16, 1)) / 20
    x = images(linear(weights), 1)
    one = explain(Occlusion(), linear(weights), x, 1)
    scaled = explain(Occlusion(), linear(weights / 1000), x * 1000, 1)
    np.testing.assert_allclose(one, scaled, atol=1e-5)


def test_a_constant_image_has_nothing_to_occlude():
    classifier = classifier_of()
    x = np.full((1, 12, 20, 2), 0.7, np.float32)
    np.testing.assert_allclose(explain(Occlusion(), classifier, x, 1), 0, atol=1e-6)


def test_occlusion_costs_one_pass_a_position_and_one_for_the_image():
    classifier = linear(np.ones((16, 16, 1)))
    explain(Occlusion(patch=0.25, stride=0.125), classifier, images(classifier, 1), 1)
    assert classifier.passes.forward == 7 * 7 + 1


def test_a_stride_that_leaves_pixels_out_is_refused():
    classifier = classifier_of()
    with pytest.raises(XaibenchError, match="stride is longer than its patch"):
        explain(Occlusion(patch=0.1, stride=0.5), classifier, images(classifier, 1), 1)
