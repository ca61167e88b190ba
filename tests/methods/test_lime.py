import numpy as np
import pytest

from tests.closed_form import images, linear
from tests.methods.batches import explain
from xaibench.methods.lime import Lime
from xaibench.methods.superpixels import superpixels


@pytest.fixture(scope="module")
def classifier():
    return linear(np.random.default_rng(3).normal(size=(24, 32, 1)) / 20)


def slow_lime(classifier, image, target, segments, samples, seed):
    """Ribeiro et al. 2016, eq. 1 and algorithm 1, with the package's draws, kernel width 0.25 and ridge 1."""
    count = segments.max() + 1
    kept = np.random.RandomState(seed).randint(0, 2, samples * count).reshape(samples, count)
    kept[0] = 1
    scores, weights = [], []
    for row in kept:
        copy = image.copy()
        for segment in range(count):
            if not row[segment]:
                for channel in range(image.shape[-1]):
                    copy[segments == segment, channel] = image[segments == segment, channel].mean()
        scores.append(classifier.scores(copy[None])[0, target])
        cosine = 1 - row.sum() / np.sqrt(max(row.sum(), 1) * count)
        weights.append(np.sqrt(np.exp(-(cosine**2) / 0.25**2)))
    weights, scores = np.array(weights, float), np.array(scores, float)
    x = kept - np.average(kept, axis=0, weights=weights)
    y = scores - np.average(scores, weights=weights)
    return np.linalg.solve(x.T @ (weights[:, None] * x) + np.eye(count), x.T @ (weights * y))


def test_lime_agrees_with_a_weighted_ridge_regression_written_out(classifier):
    lime, x = Lime(samples=60, segments=9), images(classifier, 1)[0]
    segments = superpixels(x, 9)
    assert segments.max() > 4
    expected = slow_lime(classifier, x, 1, segments, 60, 4)
    heatmap = explain(lime, classifier, x[None], 1, seeds=4)[0]
    np.testing.assert_allclose(heatmap, expected[segments], atol=1e-5)


def test_every_superpixel_is_painted_with_one_value(classifier):
    lime, x = Lime(samples=64, segments=12), images(classifier, 1)
    heatmap = explain(lime, classifier, x, 1)[0]
    segments = superpixels(x[0], 12)
    assert len(np.unique(segments)) == segments.max() + 1 > 4
    for segment in range(segments.max() + 1):
        assert len(np.unique(heatmap[segments == segment])) == 1


def test_trap_21_the_seed_covers_the_draws_and_not_only_the_segmentation(classifier):
    x, targets = images(classifier, 1), np.array([1])
    np.random.seed(1)  # noqa: NPY002 - the package would fall back on the global generator
    first = explain(Lime(samples=40), classifier, x, targets, seeds=7)
    np.random.seed(2)  # noqa: NPY002
    np.testing.assert_array_equal(first, explain(Lime(samples=40), classifier, x, targets, seeds=7))
    assert not np.array_equal(first, explain(Lime(samples=40), classifier, x, targets, seeds=8))


def test_the_two_classes_of_a_softmax_have_opposite_coefficients(classifier):
    x = images(classifier, 1)
    both = [explain(Lime(samples=50), classifier, x, target) for target in (0, 1)]
    np.testing.assert_allclose(both[0], -both[1], atol=1e-6)


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_images_of_any_number_of_channels_and_any_scale_are_explained(channels):
    classifier = linear(np.random.default_rng(0).normal(size=(24, 32, channels)) / 2000)
    heatmap = explain(Lime(samples=40), classifier, images(classifier, 1) * 1500, 1)[0]
    assert heatmap.std() > 0


def test_a_constant_image_is_explained_without_an_error(classifier):
    heatmap = explain(Lime(samples=30), classifier, np.full((1, 24, 32, 1), 0.5, np.float32), 1)[0]
    np.testing.assert_allclose(heatmap, 0, atol=1e-6)


def test_lime_costs_one_pass_a_sample():
    classifier = linear(np.ones((24, 32, 1)))
    explain(Lime(samples=70), classifier, images(classifier, 2), 1)
    assert classifier.passes.forward == 2 * 70
