import numpy as np
import pytest

from tests.closed_form import images, linear, pooled, small_resnet
from tests.methods.batches import batch
from xaibench.api import NotApplicable
from xaibench.methods.counterfactual import Counterfactual, Line, Question, shortest, size

WEIGHTS = np.random.default_rng(3).normal(size=(12, 16, 1))
UNSMOOTHED = 1e-6


def cosine(one, other):
    return float((one * other).sum() / np.linalg.norm(one) / np.linalg.norm(other))


def balanced(weights, x, lead):
    """Linear model that prefers class 1 by `lead` for the image."""
    return linear(weights, lead - float((weights * x).sum()))


def middling(shape, seed=0):
    """Image whose intensities have room on both sides: a few pixels span the range, the others lie in its middle."""
    x = np.random.default_rng(seed).uniform(0.4, 0.6, size=shape).astype(np.float32)
    x[0, 0], x[0, 1] = 0, 1
    return x


@pytest.mark.parametrize(("lead", "target"), [(0.5, 1), (-0.5, 0), (0.5, 0), (-0.5, 1)])
def test_the_change_of_a_linear_model_is_the_projection_on_its_boundary(lead, target):
    x = middling(WEIGHTS.shape)
    weights = WEIGHTS.copy()
    weights[0, :2] = 0  # these pixels are at the ends of the range
    change = Counterfactual(steps=2, smoothness=UNSMOOTHED).change(balanced(weights, x, lead), x, target)
    expected = -lead * weights / (weights**2).sum()
    assert cosine(change, expected) > 0.9999
    np.testing.assert_allclose(change, expected, atol=0.02 * np.abs(expected).max())


def test_no_smaller_change_flips_a_linear_model():
    x = middling(WEIGHTS.shape)
    model = balanced(WEIGHTS, x, 0.5)
    change = Counterfactual(smoothness=UNSMOOTHED).change(model, x, 1)
    assert model.scores(x + change).argmax() == 0
    assert model.scores(x + np.float32(0.98) * change).argmax() == 1
    rng = np.random.default_rng(0)
    for _ in range(200):
        other = change + rng.normal(size=x.shape) * np.abs(change).mean()
        shrunk = (other * np.linalg.norm(change) / np.linalg.norm(other) * 0.98).astype(np.float32)
        assert model.scores(x + shrunk).argmax() == 1


@pytest.mark.parametrize("model", [small_resnet(), small_resnet(channels=3, classes=4, seed=1)])
def test_the_flip_is_real_and_recorded(model):
    x = images(model, 4)
    best = model.scores(x).argmax(axis=1)
    method = Counterfactual(steps=3)
    found = method(model, batch(x, best))
    for image, target, heatmap, details in zip(x, best, found.heatmaps, found.details, strict=True):
        change = method.change(model, image, int(target))
        before, after = model.scores(image), model.scores(image + change)
        assert (after.argmax() != target) == details["flipped"]
        assert details["probability_before"] == pytest.approx(before[target], abs=1e-5)
        assert details["probability_after"] == pytest.approx(after[target], abs=1e-5)
        spread = image.max() - image.min()
        assert details["distance"] == pytest.approx(np.sqrt((change**2).mean()) / spread, rel=1e-4)
        np.testing.assert_allclose(heatmap, np.abs(change).sum(axis=-1), rtol=1e-5)
        assert (image + change).min() >= image.min() - 1e-6
        assert (image + change).max() <= image.max() + 1e-6
    assert sum(details["flipped"] for details in found.details) == 4


def test_steps_after_the_first_flip_make_the_change_smaller():
    model = small_resnet()  # no single gradient reaches its boundary
    x = images(model, 1)[0]
    target = int(model.scores(x).argmax())
    sizes = [size(Counterfactual(steps=steps).change(model, x, target)) for steps in (2, 4)]
    assert sizes[1] < 0.95 * sizes[0]


def test_more_steps_never_make_the_change_larger():
    model = small_resnet(channels=3, classes=4, seed=1)
    for x in images(model, 2):
        target = int(model.scores(x).argmax())
        sizes = [size(Counterfactual(steps=steps).change(model, x, target)) for steps in (1, 2)]
        assert sizes[1] <= sizes[0] * (1 + 1e-5)


def test_a_class_that_is_not_preferred_becomes_so():
    x = middling(WEIGHTS.shape)[None]
    weights = np.stack([np.zeros(192), WEIGHTS.ravel(), 0.5 * WEIGHTS[::-1].ravel()])
    model = three_classes(weights, x[0], leads=(0.0, 0.4, 0.2))
    for target in range(3):
        details = Counterfactual()(model, batch(x, target)).details[0]
        assert details["flipped"] == 1
        assert (details["probability_after"] > details["probability_before"]) == (target != 1)


def three_classes(weights, x, leads):
    """Linear model of three classes whose logits for the image are `leads`."""
    import keras

    from xaibench.classifiers.keras import KerasClassifier

    dense = keras.layers.Dense(3, activation="softmax")
    model = keras.Sequential([keras.Input(x.shape), keras.layers.Flatten(), dense])
    bias = np.array(leads) - weights @ x.ravel()
    dense.set_weights([weights.T.astype(np.float32), bias.astype(np.float32)])
    return KerasClassifier(model)


def test_smoothing_lowers_the_total_variation_for_a_change_that_still_flips():
    x = middling(WEIGHTS.shape)
    model = balanced(WEIGHTS, x, 0.5)
    found = [Counterfactual(smoothness=weight).change(model, x, 1) for weight in (UNSMOOTHED, 0.3)]
    roughness = [total_variation(change) / np.linalg.norm(change) for change in found]
    assert roughness[1] < 0.9 * roughness[0]
    assert [model.scores(x + change).argmax() for change in found] == [0, 0]
    assert size(found[1]) > size(found[0])


def total_variation(change):
    return sum(float(np.abs(np.diff(change, axis=axis)).sum()) for axis in (0, 1))


def test_the_shortest_change_along_a_direction_is_found_to_a_thousandth_of_the_range():
    x = middling((8, 8, 1))
    weights = np.zeros((8, 8, 1))
    weights[4, 4] = 1
    model = balanced(weights, x, 0.3)
    direction = -weights.astype(np.float32)
    change, flips = shortest(model, Question.of(model, x, 1), Line(x, np.zeros_like(x), direction))
    assert flips
    np.testing.assert_allclose(change, -0.3 * weights, atol=2e-3)


def test_changes_go_on_from_the_first_and_stay_within_the_intensities_of_the_image():
    x = np.array([[[0.0], [1.0], [3.0]]], np.float32)
    start = np.array([[[0.0], [0.5], [-1.0]]], np.float32)
    line = Line(x, start, np.array([[[-1.0], [1.0], [0.5]]], np.float32))
    assert line.longest == 3
    found = line.changes(np.array([1.0, 4.0]))
    np.testing.assert_allclose(found[..., 0], [[[0, 1.5, -0.5]], [[0, 2, 0]]])


def test_a_model_that_nothing_flips_says_so():
    model = pooled(np.ones((1, 1)), np.array([[5.0, 0.0]]))  # class 0 leads wherever an intensity is positive
    x = images(model, 1) + np.float32(0.5)
    found = Counterfactual(steps=2)(model, batch(x, 0))
    assert found.details[0]["flipped"] == 0
    assert np.isfinite(found.heatmaps).all()


def test_without_a_gradient_and_without_contrast_the_change_is_zero():
    for model, x in [
        (linear(np.zeros((8, 8, 1)), 1.0), middling((8, 8, 1))[None]),
        (linear(np.ones((8, 8, 1)), 1.0), np.full((1, 8, 8, 1), 0.5, np.float32)),
    ]:
        found = Counterfactual(steps=2)(model, batch(x, 1))
        assert (found.details[0]["flipped"], found.details[0]["distance"]) == (0, 0)
        assert not found.heatmaps.any()


def test_classes_that_do_not_exclude_each_other_are_refused():
    import keras

    from xaibench.classifiers.keras import KerasClassifier

    layers = [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(3, activation="sigmoid")]
    model = KerasClassifier(keras.Sequential(layers))
    with pytest.raises(NotApplicable, match="do not exclude each other"):
        Counterfactual()(model, batch(images(model, 1), 0))


def test_costs():
    model = small_resnet()
    Counterfactual(steps=3)(model, batch(images(model, 1), 0))
    assert (model.passes.forward, model.passes.backward) == (3 * (2 + 32) + 3, 3 * 2)
