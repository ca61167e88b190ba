import keras
import numpy as np
import pytest

from tests.closed_form import images, pooled, small_resnet
from tests.methods.batches import explain
from tests.methods.test_upsampling import slow_bilinear
from xaibench.api import Case
from xaibench.classifiers.keras import KerasClassifier
from xaibench.methods.stacked_feature_maps import StackedFeatureMaps
from xaibench.methods.stacked_random_maps import StackedRandomMaps
from xaibench.methods.stacking import Combine, stack

HEAD = np.array([[3.0, 0.0], [1.0, 2.0], [2.0, 1.0]])
"""Class 0 weighs the first map most, class 1 the second."""


@pytest.fixture(scope="module")
def classifier():
    return pooled(np.eye(3), HEAD)  # the feature maps are the channels of the image


def cases_of(x, labels, masks=None):
    return [
        Case(f"P{n}", f"P{n}", image, (label,), None if masks is None else masks[n], (1.0, 1.0))
        for n, (image, label) in enumerate(zip(x, labels, strict=True))
    ]


def simulated(method, classifier, cases):
    """Each case is explained for its label, then the labels are stacked."""
    x, labels = np.stack([case.image for case in cases]), np.array([case.label for case in cases])
    return method.explain_cohort(cases, explain(method, classifier, x, labels))


def slow_stack(maps, x):
    """The simulated image starts at 0 and takes each pixel from the image whose map is highest there."""
    height, width = maps[0].shape
    image, top, sources = np.zeros(x[0].shape), np.zeros((height, width)), -np.ones((height, width), int)
    for n in range(len(maps)):
        for i in range(height):
            for j in range(width):
                if maps[n][i, j] > top[i, j]:
                    top[i, j], image[i, j], sources[i, j] = maps[n][i, j], x[n][i, j], n
    return image, top, sources


def slow_shares(combine, maps, sources, i, j):
    """Part of each image in one pixel; a random one is wherever it says that it comes from."""
    column = [float(one[i, j]) for one in maps]
    count = len(column)
    if combine == "mean":
        return [1 / count] * count
    if combine == "softmax":
        powers = [np.exp(value / maps.std()) for value in column]
        return [power / sum(powers) for power in powers]
    if max(column) <= 0:
        return [0.0] * count
    taken = int(sources[i, j]) if combine == "random" else column.index(max(column))
    assert column[taken] > 0
    return [float(n == taken) for n in range(count)]


def test_the_map_with_the_largest_weight_is_the_heatmap(classifier):
    x = images(classifier)
    heatmaps = explain(StackedFeatureMaps(), classifier, x, np.array([0, 1, 1]))
    np.testing.assert_allclose(heatmaps, np.stack([x[0, ..., 0], x[1, ..., 1], x[2, ..., 1]]), atol=1e-6)


def test_the_map_with_the_largest_contribution_is_the_heatmap(classifier):
    x = images(classifier) * np.array([0.1, 0.1, 1.0], np.float32)  # class 0: 3 x 0.1 < 2 x 1
    heatmaps = explain(StackedFeatureMaps(importance="contribution"), classifier, x, np.array([0, 1, 0]))
    np.testing.assert_allclose(heatmaps, x[..., 2], atol=1e-6)


def test_without_a_pooled_head_the_weight_is_the_summed_gradient():
    inputs = keras.Input((8, 8, 1))
    maps = keras.layers.Conv2D(4, 3, strides=2, padding="same", activation="relu", name="maps")(inputs)
    hidden = keras.layers.Dense(6, activation="tanh")(keras.layers.Flatten()(maps))
    keras.utils.set_random_seed(5)
    model = KerasClassifier(keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(hidden)))
    assert model.head_weights() is None
    x, targets = images(model), np.array([0, 1, 1])
    features, gradients = model.feature_gradients(x, targets)
    expected = []
    for a, g in zip(features, gradients, strict=True):
        best = max(range(4), key=lambda k, g=g: g[:, :, k].sum())
        expected.append(slow_bilinear(a[:, :, best], (8, 8)))
    np.testing.assert_allclose(explain(StackedFeatureMaps(), model, x, targets), expected, atol=1e-5)


def test_head_weights_and_gradients_choose_the_same_map():
    model = small_resnet()
    x, targets = images(model), np.array([0, 1, 0])
    by_head = explain(StackedFeatureMaps(), model, x, targets)
    by_gradient = explain(StackedFeatureMaps(layer="block_end"), model, x, targets)
    np.testing.assert_allclose(by_head, by_gradient, atol=1e-6)


def test_simulated_images_agree_with_a_loop_over_pixels(classifier):
    x = images(classifier, 5)
    x[:, 2, 3] = 0  # a place where no map is above 0
    labels = [1, 0, 1, 1, 0]
    explanations = simulated(StackedFeatureMaps(), classifier, cases_of(x, labels))
    assert set(explanations) == {0, 1}
    for label, rows in ((0, [1, 4]), (1, [0, 2, 3])):
        image, top, sources = slow_stack([x[row][..., label] for row in rows], [x[row] for row in rows])
        found = explanations[label]
        np.testing.assert_allclose(found.image, image, atol=1e-6)
        np.testing.assert_allclose(found.map, top, atol=1e-6)
        np.testing.assert_array_equal(found.sources, np.where(sources < 0, -1, np.array(rows)[sources]))
        assert found.sources[2, 3] == -1
        assert not found.image[2, 3].any()


def test_each_pixel_of_the_simulated_image_is_that_of_its_source(classifier):
    x = images(classifier, 4)
    for combine in ("max", "random"):
        found = simulated(StackedFeatureMaps(combine=combine), classifier, cases_of(x, [0] * 4))[0]
        rows, columns = np.indices((8, 8))
        np.testing.assert_array_equal(found.image, x[found.sources, rows, columns])
        assert len(np.unique(found.sources)) > 1


@pytest.mark.parametrize("combine", list(Combine))
def test_image_map_and_mask_are_composed_in_the_same_shares(combine):
    rng = np.random.default_rng(1)
    maps, x = rng.normal(size=(4, 5, 6)).astype(np.float32), rng.random((4, 5, 6, 2), np.float32)
    maps[:, 1, 2] = -1  # a place where no map is above 0
    masks = rng.random((4, 5, 6)) < 0.4
    found = stack(maps, x, masks, combine, rng)
    for i, j in np.ndindex(5, 6):
        shares = slow_shares(combine, maps, found.sources, i, j)
        image = sum(share * x[n, i, j] for n, share in enumerate(shares))
        np.testing.assert_allclose(found.image[i, j], image, rtol=1e-4, atol=1e-6)
        height = sum(share * maps[n, i, j] for n, share in enumerate(shares))
        assert found.map[i, j] == pytest.approx(height, rel=1e-4, abs=1e-6)
        inside = sum(share * masks[n, i, j] for n, share in enumerate(shares))
        assert found.region[i, j] == pytest.approx(inside, rel=1e-4, abs=1e-6)
    assert found.region.min() >= 0
    assert found.region.max() <= 1


def test_the_mask_of_a_class_wants_an_annotation_of_each_of_its_cases(classifier):
    x = images(classifier, 4)
    masks = [x[0, ..., 0] > 0.5, x[1, ..., 0] > 0.5, x[2, ..., 1] > 0.5, None]
    found = simulated(StackedFeatureMaps(), classifier, cases_of(x, [0, 0, 1, 1], masks))
    rows, columns = np.indices((8, 8))
    np.testing.assert_array_equal(found[0].region, np.stack(masks[:2])[found[0].sources, rows, columns])
    assert found[1].region is None


@pytest.mark.parametrize("combine", list(Combine))
@pytest.mark.parametrize("content", ["pixel", "feature"])
def test_a_class_is_explained_alone_as_with_the_others(classifier, content, combine):
    x = images(classifier, 4) * np.array([5, 1, 1, 1], np.float32)[:, None, None, None]
    masks = x[..., 0] > 0.5
    method = StackedFeatureMaps(content=content, combine=combine)
    both = simulated(method, classifier, cases_of(x, [0, 0, 1, 1], masks))
    alone = simulated(method, classifier, cases_of(x[2:], [1, 1], masks[2:]))
    for name in ("image", "map", "region"):
        np.testing.assert_array_equal(getattr(both[1], name), getattr(alone[1], name))
    np.testing.assert_array_equal(both[1].sources, alone[1].sources + 2)


def test_feature_content_shows_the_map_on_the_range_of_the_class(classifier):
    x = 10 + 40 * images(classifier, 3)
    x[2] *= 100  # of the other class
    found = simulated(StackedFeatureMaps(content="feature"), classifier, cases_of(x, [0, 0, 1]))[0]
    low, high = x[:2].min(), x[:2].max()
    top = x[:2, ..., 0].max(axis=0)
    expected = low + (high - low) * top / top.max()
    np.testing.assert_allclose(found.image, np.repeat(expected[..., None], 3, axis=-1), rtol=1e-5)


def test_a_random_map_is_that_of_the_seed_and_any_as_likely(classifier):
    x, seeds = np.repeat(images(classifier, 1), 60, axis=0), np.arange(60)
    heatmaps = explain(StackedRandomMaps(), classifier, x, 0, seeds)
    np.testing.assert_array_equal(heatmaps, explain(StackedRandomMaps(), classifier, x, 1, seeds))
    drawn = [[k for k in range(3) if np.allclose(one, x[0, ..., k], atol=1e-6)] for one in heatmaps]
    assert all(len(channels) == 1 for channels in drawn)
    assert min(np.bincount(np.ravel(drawn), minlength=3)) >= 10


def test_the_control_stacks_as_the_generator_does(classifier):
    cases = cases_of(images(classifier, 4), [0, 0, 1, 1])
    maps = np.stack([case.image[..., 2] for case in cases])
    for options in ({}, {"combine": "random"}, {"content": "feature", "combine": "mean"}):
        control = StackedRandomMaps(**options).explain_cohort(cases, maps)
        generator = StackedFeatureMaps(**options).explain_cohort(cases, maps)
        for label in (0, 1):
            np.testing.assert_array_equal(control[label].image, generator[label].image)
            np.testing.assert_array_equal(control[label].sources, generator[label].sources)


def test_mean_is_the_mean_image_and_names_the_largest_contributor():
    rng = np.random.default_rng(0)
    maps, x = rng.random((3, 4, 5), np.float32), rng.random((3, 4, 5, 2), np.float32)
    found = stack(maps, x, None, Combine.MEAN, rng)
    np.testing.assert_allclose(found.image, x.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(found.map, maps.mean(axis=0), rtol=1e-5)
    np.testing.assert_array_equal(found.sources, maps.argmax(axis=0))


def test_random_draws_evenly_among_the_images_with_a_positive_map():
    maps = np.ones((3, 60, 60), np.float32)
    maps[1] = -1
    contents = np.arange(3, dtype=np.float32)[:, None, None, None] * np.ones((3, 60, 60, 1), np.float32)
    found = stack(maps, contents, None, Combine.RANDOM, np.random.default_rng(0))
    np.testing.assert_array_equal(found.image[..., 0], found.sources)
    shares = np.bincount(found.sources.ravel(), minlength=3) / 3600
    assert shares[1] == 0
    assert abs(shares[0] - 0.5) < 0.03


def test_softmax_weighs_the_images_by_their_maps_and_ignores_the_scale():
    rng = np.random.default_rng(0)
    maps, x = rng.normal(size=(3, 4, 5)).astype(np.float32), rng.random((3, 4, 5, 2), np.float32)
    expected = np.zeros((4, 5, 2))
    for i, j in np.ndindex(4, 5):
        powers = [np.exp(maps[n, i, j] / maps.std()) for n in range(3)]
        expected[i, j] = sum(power * x[n, i, j] for n, power in enumerate(powers)) / sum(powers)
    for scale in (1, 1000):
        found = stack(maps * np.float32(scale), x, None, Combine.SOFTMAX, rng)
        np.testing.assert_allclose(found.image, expected, rtol=1e-4)


@pytest.mark.parametrize("combine", list(Combine))
def test_maps_that_are_nowhere_positive_have_no_source(combine):
    maps, x = np.zeros((2, 4, 4), np.float32), np.ones((2, 4, 4, 1), np.float32)
    found = stack(maps, x, None, combine, np.random.default_rng(0))
    assert found.region is None
    assert (found.sources == -1).all()
    assert not found.map.any()
    assert np.isfinite(found.image).all()
