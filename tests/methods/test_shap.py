import numpy as np
import pytest

from tests.closed_form import images, linear, small_resnet
from tests.methods.batches import explain
from xaibench.api import Classifier, Need, Passes
from xaibench.methods.hiding import blurred
from xaibench.methods.shap import CELLS, Cells, Shap


@pytest.fixture(scope="module")
def classifier():
    return linear(np.random.default_rng(3).normal(size=(12, 16, 2)) / 20)


@pytest.mark.parametrize("model", [small_resnet(), small_resnet(channels=3, classes=4)])
def test_values_sum_to_the_score_of_the_image_minus_that_of_the_blurred_image(model):
    x, targets = images(model, 2), np.array([0, 1])
    heatmaps = explain(Shap(evaluations=64), model, x, targets)
    for n in range(2):
        gain = model.scores(x[n])[targets[n]] - model.scores(blurred(x[n], 1 / 8))[targets[n]]
        assert heatmaps[n].sum() == pytest.approx(gain, abs=1e-5)


@pytest.mark.parametrize("evaluations", [8, 20, 64])
def test_trap_20_fewer_samples_than_cells_still_sum_to_the_whole_gain(classifier, evaluations):
    x = images(classifier, 1)
    heatmap = explain(Shap(evaluations=evaluations), classifier, x, 1)[0]
    assert heatmap.size > evaluations
    gain = classifier.scores(x)[0, 1] - classifier.scores(blurred(x[0], 1 / 8))[1]
    assert abs(gain) > 1e-3
    assert heatmap.sum() == pytest.approx(gain, abs=1e-5)


def test_an_almost_additive_model_gets_its_terms_back():
    # So near 1/2 the logistic curve is straight: each pixel's value is weight x (pixel - blurred pixel) / 4.
    weights = np.random.default_rng(0).normal(size=(4, 4, 1)) / 100
    classifier = linear(weights)
    x = images(classifier, 1)
    expected = (weights * (x[0] - blurred(x[0], 0.5)))[..., 0] / 4
    heatmap = explain(Shap(evaluations=2000, blur=0.5), classifier, x, 1)[0]
    np.testing.assert_allclose(heatmap, expected, atol=1e-5)


def test_trap_19_hidden_places_of_float_images_keep_their_intensity():
    x = images(small_resnet(), 1)[0] * 0.3 + 0.6  # inpainting by the package would set these to 0
    assert abs(blurred(x, 1 / 8).mean() - x.mean()) < 0.01
    classifier = linear(np.ones((32, 32, 1)) / 100)
    heatmap = explain(Shap(evaluations=64), classifier, x[None], 1)[0]
    assert abs(heatmap.sum()) < 0.01  # with black instead of blur it would be f(x) - f(0) = 0.49


def test_blur_is_the_mean_over_a_window_that_scales_with_the_image():
    x = images(linear(np.ones((16, 24, 2))), 1)[0]
    smooth = blurred(x, 1 / 8)  # 2 rows by 3 columns
    np.testing.assert_allclose(smooth[8, 8], x[7:9, 7:10].mean(axis=(0, 1)), rtol=1e-5)


def test_a_window_is_a_pixel_at_least():
    x = images(linear(np.ones((3, 16, 1))), 1)[0]
    smooth = blurred(x, 1 / 8)  # 1 row by 2 columns
    np.testing.assert_allclose(smooth[:, 8], (x[:, 7] + x[:, 8]) / 2, rtol=1e-5)


def test_one_channel_keeps_its_axis():
    x = images(linear(np.ones((16, 24, 1))), 1)[0]
    assert blurred(x, 1 / 8).shape == (16, 24, 1)


@pytest.mark.parametrize("evaluations", [16, 64, 100])
def test_the_budget_is_kept(classifier, evaluations):
    before = classifier.passes.forward
    explain(Shap(evaluations=evaluations), classifier, images(classifier, 1), 1)
    assert evaluations - 2 <= classifier.passes.forward - before <= evaluations


def test_the_global_generator_neither_decides_nor_is_disturbed(classifier):
    x, targets = images(classifier, 1), np.array([1])
    np.random.seed(1)  # noqa: NPY002
    expected_next = np.random.RandomState(1).random()
    first = explain(Shap(evaluations=32), classifier, x, targets, seeds=3)
    assert np.random.random() == expected_next  # noqa: NPY002
    np.testing.assert_array_equal(first, explain(Shap(evaluations=32), classifier, x, targets, seeds=3))


class EqualPromise(Classifier):
    """One pixel of each 8 x 8 counts, all alike: regions of a size promise the same until that pixel is singled out."""

    input_shape, n_classes, exclusive, fingerprint, passes = (32, 32, 1), 2, True, "", Passes()
    offers, backward_rules, random_layers = frozenset({Need.SCORES}), frozenset(), ()

    def masked_scores(self, image, masks, baseline):
        kept = np.asarray(masks)[:, ::8, ::8].mean(axis=(1, 2))
        return np.stack([1 - kept, kept], axis=1).astype(np.float32)


def test_the_seed_decides_between_regions_of_equal_promise():
    x, targets = np.ones((1, 32, 32, 1), np.float32), np.array([1])
    maps = []
    for global_seed, seed in ((1, 5), (2, 5), (1, 6)):
        np.random.seed(global_seed)  # noqa: NPY002
        maps.append(explain(Shap(evaluations=200), EqualPromise(), x, targets, seeds=seed))
    np.testing.assert_array_equal(maps[0], maps[1])
    assert not np.array_equal(maps[0], maps[2])


def test_the_value_of_an_undivided_region_is_spread_evenly(classifier):
    heatmap = explain(Shap(evaluations=4), classifier, images(classifier, 1), 1)[0]  # one division only
    assert len(np.unique(heatmap[:, :8])) == len(np.unique(heatmap[:, 8:])) == 1


@pytest.mark.parametrize(("side", "cells"), [(32, 32), (CELLS, CELLS), (128, 64), (224, 56), (100, 50)])
def test_large_images_are_divided_into_cells_of_a_few_pixels(side, cells):
    row = np.arange(side) // -(-side // CELLS)
    grid = Cells(row, row)
    assert grid.shape == (cells, cells)
    values = np.random.default_rng(0).random((1, cells, cells))
    assert (grid.painted(values)[0] / grid.pixels).sum() == pytest.approx(values.sum())


def test_nothing_is_printed(classifier, capfd):
    explain(Shap(evaluations=32), classifier, images(classifier, 1), 1)
    assert capfd.readouterr() == ("", "")
