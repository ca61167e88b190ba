"""Explainers by the package shap that take a Keras model."""

import keras
import numpy as np
import pytest

from tests.closed_form import images, small_resnet
from tests.methods.batches import batch, explain
from xaibench.api import Background, NotApplicable
from xaibench.classifiers.keras import KerasClassifier
from xaibench.methods.expected_gradients import ExpectedGradients
from xaibench.methods.shap_deep import ShapDeep
from xaibench.methods.shap_gradient import ShapGradient


def background(classifier, count=12):
    x = images(classifier, count, seed=9)
    return Background(x, np.arange(count) % 2, tuple(f"T{n}" for n in range(count)))


@pytest.fixture(scope="module")
def resnet():
    return small_resnet(classes=3)


@pytest.fixture(scope="module")
def standardising():
    """A network that brings each image to mean 0 and variance 1 first, as the default models do."""
    keras.utils.set_random_seed(4)
    inputs = keras.Input((12, 10, 1))
    x = keras.layers.LayerNormalization(axis=[1, 2, 3], center=False, scale=False)(inputs)
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    x = keras.layers.Flatten()(x)
    return KerasClassifier(keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(x)))


@pytest.mark.parametrize("model", ["resnet", "standardising"])
def test_shap_deep_sums_to_the_logit_minus_the_mean_of_the_references(model, request):
    classifier = request.getfixturevalue(model)
    method, x, targets = ShapDeep(references=5), 40 * images(classifier), np.array([0, 1, 1])
    fitted = method.fit(classifier, background(classifier), 0)
    means = classifier.logits(fitted["references"]).mean(axis=0)
    gains = classifier.logits(x)[np.arange(3), targets] - means[targets]
    sums = explain(method, classifier, x, targets, fitted=fitted).sum(axis=(1, 2))
    np.testing.assert_allclose(sums, gains, atol=1e-4 * np.abs(gains).max())


def test_shap_deep_is_the_mean_of_deeplift_over_the_references(resnet):
    method, x, target = ShapDeep(references=3), images(resnet, 2), np.array([2, 2])
    fitted = method.fit(resnet, background(resnet), 0)
    each = [resnet.relevance(x, target, "deeplift-rescale", reference) for reference in fitted["references"]]
    expected = np.mean(each, axis=0).sum(axis=-1)
    found = explain(method, resnet, x, 2, fitted=fitted)
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def test_references_in_parts_of_any_size_give_the_same_map(resnet, monkeypatch):
    """Parts of unequal size, so that a mean of means would differ."""
    method, x = ShapDeep(references=5), images(resnet, 1)
    fitted = method.fit(resnet, background(resnet), 0)
    together = explain(method, resnet, x, 1, fitted=fitted)
    monkeypatch.setattr("xaibench.methods.shap_deep.AT_ONCE", 2)
    np.testing.assert_allclose(explain(method, resnet, x, 1, fitted=fitted), together, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (keras.layers.ReLU(6.0), "no rule for the operation Relu6"),
        (keras.layers.Activation("swish"), "do not add up"),
    ],
)
def test_shap_deep_refuses_what_the_package_cannot_explain_and_leaves_no_damage(layer, reason):
    inputs = keras.Input((8, 8, 1))
    x = layer(keras.layers.Conv2D(4, 3, padding="same")(inputs))
    classifier = KerasClassifier(keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(x))))
    method = ShapDeep(references=2)
    fitted, x = method.fit(classifier, background(classifier), 0), 40 * images(classifier, 1)
    with pytest.raises(NotApplicable, match=reason):
        explain(method, classifier, x, 1, fitted=fitted)
    assert np.abs(classifier.input_gradients(x, np.array([1]))).sum() > 0


def test_shap_gradient_agrees_with_its_points_one_by_one(resnet):
    method, x = ShapGradient(samples=6, references=4), images(resnet, 1)
    references = method.fit(resnet, background(resnet), 0)["references"]
    rng, total = np.random.RandomState(3), np.zeros(x.shape[1:])
    for _ in range(6):
        reference, place = references[rng.choice(4)], rng.uniform()
        point = (place * x[0] + (1 - place) * reference).astype(np.float32)
        total += resnet.input_gradients(point, np.array(2)) * (x[0] - reference) / 6
    found = explain(method, resnet, x, 2, seeds=3, fitted={"references": references})[0]
    np.testing.assert_allclose(found, total.sum(axis=-1), atol=1e-6 * np.abs(total).max() + 1e-7)


def test_shap_gradient_and_expected_gradients_have_one_expectation(resnet):
    x, ours = images(resnet, 1), ExpectedGradients(references=12, steps=20)
    fitted = ours.fit(resnet, background(resnet), 0)
    expected = explain(ours, resnet, x, 2, fitted=fitted)[0]
    sampled = explain(ShapGradient(samples=4000), resnet, x, 2, fitted=fitted)[0]
    assert np.corrcoef(sampled.ravel(), expected.ravel())[0, 1] > 0.99


@pytest.mark.parametrize(
    ("method", "passes"), [(ShapGradient(samples=6), (7, 6)), (ShapDeep(references=3), (7, 6))]
)
def test_passes_are_counted_and_nothing_is_printed(method, passes, resnet, capfd):
    fitted, x = method.fit(resnet, background(resnet), 0), images(resnet, 2)
    before = resnet.passes
    method(resnet, batch(x, np.array([0, 1]), fitted=fitted))
    after = resnet.passes
    assert (after.forward - before.forward, after.backward - before.backward) == (
        2 * passes[0],
        2 * passes[1],
    )
    assert capfd.readouterr().out == ""
