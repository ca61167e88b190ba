import numpy as np
import pytest

from tests.closed_form import images, pooled, small_resnet
from tests.methods.batches import batch
from xaibench.api import Background, NotApplicable
from xaibench.methods.cells import grid_cells
from xaibench.methods.fastshap import FastShap, cell_features, coalitions
from xaibench.methods.hiding import blurred
from xaibench.methods.shap_kernel import ShapKernel
from xaibench.methods.upsampling import upsample

FILTERS = np.abs(np.random.default_rng(0).normal(size=(2, 5)))
HEAD = np.random.default_rng(1).normal(size=(5, 2)) / 20


def from_black(count, seed):
    """Images in [0, 1] whose darkest intensity is 0, so that hidden cells have no features."""
    x = images(pooled(FILTERS, HEAD), count, seed=seed)
    x[:, 0, 0] = 0
    return x


def background(x, patients=6):
    return Background(x, np.zeros(len(x), int), tuple(f"T{n % patients}" for n in range(len(x))))


@pytest.fixture(scope="module")
def near_linear():
    """Model whose probability is almost linear in its feature maps, and FastSHAP trained on it."""
    classifier, method = pooled(FILTERS, HEAD), FastShap(images=40, grid=4, baseline="black")
    return classifier, method, method.fit(classifier, background(from_black(40, seed=7)), 0)


def cell_sums(heatmaps, grid):
    cells = grid_cells(heatmaps.shape[1:], grid)
    return np.stack([np.bincount(cells.ravel(), weights=own.ravel()) for own in heatmaps])


@pytest.mark.parametrize("target", [0, 1])
def test_fastshap_approaches_kernel_shap_on_unseen_images(near_linear, target):
    classifier, method, fitted = near_linear
    x, cells = from_black(3, seed=11), grid_cells((8, 8), 4)
    found = cell_sums(method(classifier, batch(x, target, fitted=fitted)).heatmaps, 4)
    kernel = ShapKernel(samples=400, baseline="black")
    expected = np.stack([kernel.values(classifier, one, target, 0, cells) for one in x])
    assert expected.std() > 1e-4
    np.testing.assert_allclose(found, expected, atol=0.02 * np.abs(expected).max())
    assert fitted["r2"][target] > 0.99


def test_a_model_that_is_linear_in_its_features_gives_the_weights_by_hand(near_linear):
    # So near 1/2 the probability of class 1 is 1/2 + (logit 1 - logit 0) / 4, and the logits are HEAD x mean map.
    classifier, method, fitted = near_linear
    x = from_black(2, seed=3)
    share = classifier.features(x) @ (HEAD[:, 1] - HEAD[:, 0]) / 4 / 64
    found = cell_sums(method(classifier, batch(x, 1, fitted=fitted)).heatmaps, 4)
    expected = cell_sums(share, 4)
    np.testing.assert_allclose(found, expected, atol=0.02 * np.abs(expected).max())


@pytest.mark.parametrize("baseline", ["blur", "black"])
def test_values_sum_to_the_gain_over_the_baseline_even_of_a_poor_explainer(baseline):
    classifier = small_resnet(channels=3, classes=4)
    x, targets = images(classifier, 3), np.array([2, 0, 3])
    method = FastShap(images=4, pairs=2, baseline=baseline)
    fitted = method.fit(classifier, background(images(classifier, 4, seed=5), patients=4), 0)
    empty = np.stack([_empty(one, baseline) for one in x])
    gains = (classifier.scores(x) - classifier.scores(empty))[np.arange(3), targets]
    given = batch(x, targets, fitted=fitted)
    np.testing.assert_allclose(method.promised_total(classifier, given), gains, atol=1e-6)
    np.testing.assert_allclose(method(classifier, given).heatmaps.sum(axis=(1, 2)), gains, atol=1e-5)


def _empty(image, baseline):
    return blurred(image, 1 / 8) if baseline == "blur" else np.full_like(image, image.min())


def test_the_weights_minimise_the_loss_of_the_paper(near_linear):
    classifier, _, fitted = near_linear
    rng = np.random.default_rng(0)
    kept, weights = coalitions(12, 16, rng), fitted["weights"][1]
    cases = [_worths(classifier, image, kept) for image in from_black(6, seed=21)]
    best = _loss(cases, kept, weights)
    for _ in range(10):
        assert _loss(cases, kept, weights + rng.normal(size=5) * 0.3 * np.abs(weights).mean()) > best
    assert best < 0.05 * _loss(cases, kept, np.zeros(5))


def _worths(classifier, image, kept):
    """Features of each cell, gain of the whole image, and gain of each coalition."""
    cells, empty = grid_cells((8, 8), 4), np.full_like(image, image.min())
    whole, none = (float(classifier.scores(one)[1]) for one in (image, empty))
    maps = classifier.features(image)
    features = np.array([maps[cells == cell].mean(axis=0) for cell in range(16)])
    copies = np.stack([np.where(members[cells][..., None] == 1, image, empty) for members in kept])
    return features, whole - none, classifier.scores(copies)[:, 1] - none


def _loss(cases, kept, weights):
    """Mean squared error of the corrected values' sum over each coalition."""
    errors = []
    for features, gain, worths in cases:
        values = features @ weights
        values += (gain - values.sum()) / 16
        errors += [worth - values[members == 1].sum() for members, worth in zip(kept, worths, strict=True)]
    return float(np.mean(np.square(errors)))


@pytest.mark.parametrize(("space", "maps"), [((24, 32), (6, 8)), ((9, 13), (3, 5)), ((8, 8), (8, 8))])
def test_cell_features_are_means_of_the_upsampled_maps(space, maps):
    features = np.random.default_rng(0).random((2, *maps, 3), dtype=np.float32)
    cells = grid_cells(space, 4)
    large = np.moveaxis(upsample(np.moveaxis(features, -1, 1), space), 1, -1)
    expected = np.stack(
        [[image[cells == cell].mean(axis=0) for cell in range(cells.max() + 1)] for image in large]
    )
    np.testing.assert_allclose(cell_features(features, space, 4), expected, atol=1e-6)


def test_coalitions_have_the_sizes_of_the_shapley_kernel_and_come_with_their_complements():
    kept = coalitions(20_000, 6, np.random.default_rng(0))
    np.testing.assert_array_equal(kept[:20_000] + kept[20_000:], 1)
    shares = np.bincount(kept.sum(axis=1).astype(int), minlength=7) / len(kept)
    weights = np.array([0, 1 / 5, 1 / 8, 1 / 9, 1 / 8, 1 / 5, 0])
    np.testing.assert_allclose(shares, weights / weights.sum(), atol=0.01)
    np.testing.assert_allclose(kept.mean(axis=0), 0.5, atol=0.01)


def test_training_needs_two_patients():
    classifier = pooled(FILTERS, HEAD)
    with pytest.raises(NotApplicable, match="two patients"):
        FastShap(pairs=2).fit(classifier, background(from_black(3, seed=0), patients=1), 0)


def test_costs():
    classifier = pooled(FILTERS, HEAD)
    method = FastShap(images=5, pairs=3)
    fitted = method.fit(classifier, background(from_black(8, seed=0)), 0)
    assert classifier.passes[:2] == (5 * (6 + 3), 0)
    method(classifier, batch(from_black(1, seed=1), 1, fitted=fitted))
    assert classifier.passes[:2] == (5 * (6 + 3) + 3, 0)
