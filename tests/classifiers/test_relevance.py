"""Backward rules: closed forms, and a slow re-implementation in numpy."""

from collections.abc import Callable

import keras
import numpy as np
import pytest

from tests.classifiers.relevance_models import CONSERVING, LAYERS, Chain, ask
from tests.closed_form import images, linear
from xaibench.classifiers.keras import KerasClassifier

pytestmark = pytest.mark.usefixtures("untraced")

# ---------------------------------------------------------------- closed forms


def test_deeplift_of_a_linear_model_is_weight_times_difference() -> None:
    weights = np.random.default_rng(0).normal(size=(4, 6, 1)).astype(np.float32)
    classifier = linear(weights, bias=0.7)
    batch = images(classifier, 2)
    found = ask(classifier, batch, np.array([1, 0]), "deeplift-rescale")
    np.testing.assert_allclose(found[0], weights * (batch[0] - 0.3), atol=1e-6)
    np.testing.assert_allclose(found[1], 0, atol=1e-6)
    assert classifier.passes[:2] == (3, 2)


@pytest.mark.parametrize("rule", CONSERVING)
def test_the_box_rule_shares_a_linear_logit_by_its_formula(rule: str) -> None:
    weights = np.random.default_rng(0).normal(size=(4, 6, 1)).astype(np.float32)
    classifier = linear(weights)
    (x,) = images(classifier, 1)
    box = x * weights - x.min() * np.maximum(weights, 0) - x.max() * np.minimum(weights, 0)
    expected = box / box.sum() * (x * weights).sum()
    found = classifier.relevance(x[None], np.array([1]), rule)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_guided_backpropagation_stops_where_input_or_gradient_is_not_positive() -> None:
    inputs = keras.Input((1, 4, 1))
    x = LAYERS.ReLU()(LAYERS.Flatten()(inputs))
    dense = LAYERS.Dense(2, use_bias=False, activation="softmax")
    model = keras.Model(inputs, dense(x))
    dense.set_weights([np.array([[0, 2], [0, -3], [0, 4], [0, -5]], np.float32)])
    classifier = KerasClassifier(model)
    image = np.array([1.0, 1.0, -1.0, -1.0], np.float32).reshape(1, 1, 4, 1)
    for rule, expected in (("guided", [2, 0, 0, 0]), ("deconv", [2, 0, 4, 0])):
        found = classifier.relevance(image, np.array([1]), rule)
        np.testing.assert_allclose(found.ravel(), expected)


def test_one_sigmoid_unit_sends_back_half_its_logit_each_way() -> None:
    inputs = keras.Input((4, 4, 1))
    dense = LAYERS.Dense(1, activation="sigmoid", use_bias=False)
    classifier = KerasClassifier(keras.Model(inputs, dense(LAYERS.Flatten()(inputs))))
    batch = np.repeat(images(classifier, 1), 2, axis=0)
    for rule in CONSERVING:
        against, in_favour = classifier.relevance(batch, np.array([0, 1]), rule)
        np.testing.assert_allclose(against, -in_favour)
        np.testing.assert_allclose(in_favour.sum(), classifier.logits(batch)[1, 1], rtol=1e-4)


# ---------------------------------------------------------------- a chain, slowly


def shares(contributions: np.ndarray, bias: np.ndarray, relevance: np.ndarray) -> np.ndarray:
    """Relevance of inputs from contributions [inputs, outputs]."""
    z = contributions.sum(axis=0) + bias
    return (contributions / np.where(z >= 0, z + 1e-6, z - 1e-6)) @ relevance


def slow_epsilon(x: np.ndarray, w: np.ndarray, b: np.ndarray, r: np.ndarray) -> np.ndarray:
    return shares(x[:, None] * w, b, r)


def of_the_sign_of(z: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values, and 0 for those that have not the sign of their outputs z."""
    return np.where(z >= 0, np.maximum(values, 0), np.minimum(values, 0))


def slow_gamma(x: np.ndarray, w: np.ndarray, b: np.ndarray, r: np.ndarray) -> np.ndarray:
    z, terms = x @ w + b, x[:, None] * w
    return shares(terms + 0.25 * of_the_sign_of(z, terms), b + 0.25 * of_the_sign_of(z, b), r)


def slow_plus(x: np.ndarray, w: np.ndarray, b: np.ndarray, r: np.ndarray) -> np.ndarray:
    return shares(of_the_sign_of(x @ w + b, x[:, None] * w), 0 * b, r)


def slow_box(x: np.ndarray, w: np.ndarray, b: np.ndarray, r: np.ndarray) -> np.ndarray:
    box = x[:, None] * w - x.min() * np.maximum(w, 0) - x.max() * np.minimum(w, 0)
    return shares(box, 0 * b, r)


SLOW: dict[str, list[Callable[..., np.ndarray]]] = {
    "z-plus": [slow_box, slow_plus, slow_plus, slow_plus],
    "lrp-composite": [slow_box, slow_epsilon, slow_gamma, slow_epsilon],
}


@pytest.mark.parametrize("second_relu", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rule", CONSERVING)
def test_a_chain_is_explained_as_the_papers_formulas_say(rule: str, bias: bool, second_relu: bool) -> None:
    chain = Chain(bias, second_relu)
    classifier = KerasClassifier(chain.model)
    batch = images(classifier, 3)
    for image, target in zip(batch, (0, 1, 1), strict=True):
        values = chain.run(image)
        relevance = np.where(np.arange(2) == target, values[-1], 0)
        for number in (3, 2, 1, 0):
            formula = SLOW[rule][number]
            relevance = formula(values[number], chain.matrices[number], chain.biases[number], relevance)
        found = classifier.relevance(image[None], np.array([target]), rule)[0]
        np.testing.assert_allclose(found.ravel(), relevance, rtol=1e-3, atol=1e-5)


def test_deeplift_of_a_chain_is_as_the_papers_formula_says() -> None:
    chain = Chain(bias=True)
    classifier = KerasClassifier(chain.model)
    baseline = np.full((6, 6, 1), 0.3, np.float32)
    (image,) = images(classifier, 1)
    now, before = chain.run(image), chain.run(baseline)
    multiplier = chain.matrices[3][:, 1]
    for number in (2, 0):  # through a ReLU, then through what is linear below it
        z = now[number] @ chain.matrices[number] + chain.biases[number]
        z0 = before[number] @ chain.matrices[number] + chain.biases[number]
        multiplier = multiplier * (np.maximum(z, 0) - np.maximum(z0, 0)) / (z - z0)
        multiplier = chain.matrices[number] @ multiplier
        if number == 2:
            multiplier = chain.matrices[1] @ multiplier
    expected = multiplier * (image - baseline).ravel()
    found = classifier.relevance(image[None], np.array([1]), "deeplift-rescale", baseline)
    np.testing.assert_allclose(found.ravel(), expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("rule", ["guided", "deconv"])
def test_guided_backpropagation_of_a_chain_slowly(rule: str) -> None:
    chain = Chain(bias=True)
    classifier = KerasClassifier(chain.model)
    (image,) = images(classifier, 1)
    values = chain.run(image)
    gradient = chain.matrices[3][:, 1]
    for number in (2, 0):
        passes = values[number + 1] > 0 if rule == "guided" else True
        gradient = chain.matrices[number] @ (np.maximum(gradient, 0) * passes)
        if number == 2:
            gradient = chain.matrices[1] @ gradient
    found = classifier.relevance(image[None], np.array([1]), rule)
    np.testing.assert_allclose(found.ravel(), gradient, rtol=1e-4, atol=1e-6)
