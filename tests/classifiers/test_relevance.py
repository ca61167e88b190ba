"""Backward rules: closed forms, a slow re-implementation in numpy, conservation, and every architecture's layers."""

from collections.abc import Callable
from functools import cache
from typing import Any

import keras
import numpy as np
import pytest

from tests.closed_form import images, linear
from xaibench.api import Need, NotApplicable, XaibenchError
from xaibench.classifiers.keras import KerasClassifier
from xaibench.models.compact_resnet import compact_resnet

LAYERS = keras.layers
RULES = ("guided", "deconv", "z-plus", "lrp-composite", "deeplift-rescale")
CONSERVING = ("z-plus", "lrp-composite")


def ask(classifier: KerasClassifier, batch: np.ndarray, targets: np.ndarray, rule: str) -> np.ndarray:
    baseline = np.full(classifier.input_shape, 0.3, np.float32) if rule == "deeplift-rescale" else None
    return classifier.relevance(batch, targets, rule, baseline)


def sums(relevance: np.ndarray) -> np.ndarray:
    return relevance.reshape(len(relevance), -1).sum(axis=1)


def fan_in(layer: Any, variable: Any) -> int:
    """Values that a weighted sum of a layer is made of, so that signals neither fade nor grow."""
    by_channel = isinstance(layer, LAYERS.DepthwiseConv2D) or "depthwise" in variable.name
    return max(1, int(np.prod(variable.shape[: -2 if by_channel else -1])))


def shuffled(model: Any, seed: int = 0, bias: bool = True) -> Any:
    """Model with random weights, batch norm statistics included; biases and offsets 0 if there is to be none."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            shuffled(layer, seed, bias)
            continue
        drawn = []
        for variable in layer.weights:
            values = rng.normal(0, np.sqrt(2 / fan_in(layer, variable)), variable.shape)
            is_offset = variable.name in ("bias", "beta", "moving_mean")
            if variable.name in ("gamma", "moving_variance"):
                values = rng.uniform(0.5, 1.5, variable.shape)
            drawn.append(values * (bias or not is_offset))
        layer.set_weights(drawn)
    return model


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


def matrix(layer: Any, size: tuple[int, ...]) -> np.ndarray:
    """Linear layer without bias as a matrix [inputs, outputs], found by basis images."""
    basis = np.eye(int(np.prod(size)), dtype=np.float32).reshape(-1, *size)
    return keras.ops.convert_to_numpy(layer(basis)).reshape(len(basis), -1)


class Chain:
    """Convolution, ReLU, average pooling, convolution, ReLU, dense layer; as Keras layers and as matrices."""

    def __init__(self, bias: bool) -> None:
        inputs = keras.Input((6, 6, 1))
        steps = [
            LAYERS.Conv2D(3, 3, padding="same", use_bias=bias),
            LAYERS.ReLU(),
            LAYERS.AveragePooling2D(2),
            LAYERS.Conv2D(4, 2, use_bias=bias),
            LAYERS.ReLU(),
            LAYERS.Flatten(),
            LAYERS.Dense(2, use_bias=bias),
        ]
        x = inputs
        for step in steps:
            x = step(x)
        self.model = shuffled(keras.Model(inputs, LAYERS.Softmax()(x)), bias=bias)
        self.matrices = []
        self.biases = []
        for number, size in ((0, (6, 6, 1)), (2, (6, 6, 3)), (3, (3, 3, 3)), (6, (16,))):
            layer = steps[number]
            offset = layer.bias.numpy() if bias and number != 2 else np.zeros(1)
            plain = matrix(layer, size) - np.resize(offset, layer(np.zeros((1, *size))).shape[1:]).ravel()
            self.matrices.append(plain)
            self.biases.append(np.resize(offset, plain.shape[1]))

    def run(self, image: np.ndarray) -> list[np.ndarray]:
        """Inputs of the four matrices and the logits."""
        first, pool, second, dense = self.matrices
        values = [image.ravel()]
        values.append(np.maximum(values[0] @ first + self.biases[0], 0))
        values.append(values[1] @ pool)
        values.append(np.maximum(values[2] @ second + self.biases[2], 0))
        values.append(values[3] @ dense + self.biases[3])
        return values


def shares(contributions: np.ndarray, bias: np.ndarray, relevance: np.ndarray) -> np.ndarray:
    """Relevance of inputs from contributions [inputs, outputs]."""
    z = contributions.sum(axis=0) + bias
    return (contributions / np.where(z >= 0, z + 1e-6, z - 1e-6)) @ relevance


def slow_epsilon(x: np.ndarray, w: np.ndarray, b: np.ndarray, r: np.ndarray) -> np.ndarray:
    return shares(x[:, None] * w, b, r)


def slow_gamma(x: np.ndarray, w: np.ndarray, b: np.ndarray, r: np.ndarray) -> np.ndarray:
    above = x @ w + b >= 0
    favoured = (np.where(above, np.maximum(part, 0), np.minimum(part, 0)) for part in (w, b))
    kernel, bias = (part + 0.25 * more for part, more in zip((w, b), favoured, strict=True))
    return shares(x[:, None] * kernel, bias, r)


def slow_plus(x: np.ndarray, w: np.ndarray, b: np.ndarray, r: np.ndarray) -> np.ndarray:
    of_one_sign = np.where(x @ w + b >= 0, np.maximum(w, 0), np.minimum(w, 0))
    return shares(x[:, None] * of_one_sign, 0 * b, r)


def slow_box(x: np.ndarray, w: np.ndarray, b: np.ndarray, r: np.ndarray) -> np.ndarray:
    box = x[:, None] * w - x.min() * np.maximum(w, 0) - x.max() * np.minimum(w, 0)
    return shares(box, 0 * b, r)


SLOW: dict[str, list[Callable[..., np.ndarray]]] = {
    "z-plus": [slow_box, slow_plus, slow_plus, slow_plus],
    "lrp-composite": [slow_box, slow_epsilon, slow_gamma, slow_epsilon],
}


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rule", CONSERVING)
def test_a_chain_is_explained_as_the_papers_formulas_say(rule: str, bias: bool) -> None:
    chain = Chain(bias)
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


# ---------------------------------------------------------------- what real networks are made of


def block(x: Any, *, bias: bool) -> Any:
    """Layers of VGG, ResNet, Inception, MobileNet and Xception, one after the other."""
    x = LAYERS.ZeroPadding2D(1)(x)
    x = LAYERS.Conv2D(6, 3, strides=2, use_bias=bias)(x)
    x = LAYERS.BatchNormalization()(x)
    x = LAYERS.Activation("relu")(x)
    x = LAYERS.MaxPooling2D(2)(x)
    y = LAYERS.Conv2D(6, 1, use_bias=bias, activation="relu")(x)
    y = LAYERS.SeparableConv2D(6, 3, padding="same", use_bias=bias)(y)
    y = LAYERS.BatchNormalization()(y)
    x = LAYERS.ReLU()(LAYERS.Add()([x, y]))
    y = LAYERS.DepthwiseConv2D(3, padding="same", use_bias=bias, depth_multiplier=2)(x)
    y = LAYERS.BatchNormalization()(y)
    y = LAYERS.ReLU(6.0)(y)
    y = LAYERS.Conv2D(4, 1, use_bias=bias, groups=2)(y)
    x = LAYERS.Concatenate()([x, y, LAYERS.AveragePooling2D(3, 1, padding="same")(x)])
    x = LAYERS.Add()([x, LAYERS.BatchNormalization()(LAYERS.Conv2D(16, 1, use_bias=bias)(x))])
    x = LAYERS.BatchNormalization()(x)
    x = LAYERS.Dropout(0.5)(LAYERS.ReLU()(x))
    x = LAYERS.Rescaling(2.0)(x)
    return LAYERS.GlobalAveragePooling2D()(x)


def varied(bias: bool) -> KerasClassifier:
    inputs = keras.Input((20, 24, 2))
    x = LAYERS.Rescaling(3.0, offset=-0.5 if bias else 0.0)(inputs)
    x = LAYERS.Dense(8, activation="relu", use_bias=bias)(block(x, bias=bias))
    x = LAYERS.Dense(2, activation="softmax", use_bias=bias)(x)
    return KerasClassifier(shuffled(keras.Model(inputs, x), bias=bias))


@cache
def unbiased() -> KerasClassifier:
    return varied(bias=False)


@cache
def biased() -> KerasClassifier:
    return varied(bias=True)


@pytest.mark.parametrize("rule", CONSERVING)
def test_relevance_is_conserved_where_there_is_no_bias(rule: str) -> None:
    classifier = unbiased()
    batch, targets = images(classifier, 6), np.array([0, 1, 0, 1, 0, 1])
    logits = classifier.logits(batch)[np.arange(6), targets]
    np.testing.assert_allclose(sums(classifier.relevance(batch, targets, rule)), logits, rtol=0.01)


@pytest.mark.parametrize("bias", [True, False])
def test_deeplift_sums_to_the_difference_of_the_logits(bias: bool) -> None:
    classifier = biased() if bias else unbiased()
    batch, targets = images(classifier, 6), np.array([0, 1, 0, 1, 0, 1])
    baseline = images(classifier, 7)[6]
    expected = classifier.logits(batch) - classifier.logits(baseline[None])
    found = classifier.relevance(batch, targets, "deeplift-rescale", baseline)
    np.testing.assert_allclose(sums(found), expected[np.arange(6), targets], rtol=1e-3, atol=1e-5)


def test_without_negative_gradients_guided_backpropagation_is_the_gradient() -> None:
    classifier = varied(bias=False)
    weights = [np.abs(weight) for weight in classifier.model.get_weights()]
    classifier.model.set_weights(weights)
    batch, targets = images(classifier, 3), np.array([0, 1, 0])
    gradient = classifier.input_gradients(batch, targets)
    found = classifier.relevance(batch, targets, "guided")
    np.testing.assert_allclose(found, gradient, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("rule", RULES)
def test_an_image_is_explained_alone_as_in_a_batch(rule: str) -> None:
    classifier = biased()
    batch, targets = images(classifier, 4), np.array([0, 1, 1, 0])
    together = ask(classifier, batch, targets, rule)
    assert np.isfinite(together).all()
    assert together.shape == batch.shape
    alone = [ask(classifier, batch[i : i + 1], targets[i : i + 1], rule)[0] for i in range(4)]
    np.testing.assert_allclose(alone, together, atol=1e-5 * np.abs(together).max())
    assert {f.experimental_get_tracing_count() for f in classifier._compiled.values()} == {1}


@pytest.mark.parametrize("rule", RULES)
def test_batch_norm_is_folded_as_if_it_had_never_been_there(rule: str) -> None:
    inputs = keras.Input((12, 12, 1))
    x = LAYERS.Conv2D(4, 3)(inputs)
    x = LAYERS.BatchNormalization(epsilon=1e-3)(x)
    model = shuffled(keras.Model(inputs, LAYERS.Dense(2)(LAYERS.Flatten()(LAYERS.ReLU()(x)))))
    with_norm = KerasClassifier(model)
    plain = KerasClassifier(
        keras.Sequential([inputs, LAYERS.Conv2D(4, 3, activation="relu"), LAYERS.Flatten(), LAYERS.Dense(2)])
    )
    kernel, bias, gamma, beta, mean, variance, *dense = model.get_weights()
    scale = gamma / np.sqrt(variance + 1e-3)
    plain.model.set_weights([kernel * scale, (bias - mean) * scale + beta, *dense])
    batch, targets = images(plain, 3), np.array([0, 1, 1])
    expected = ask(plain, batch, targets, rule)
    np.testing.assert_allclose(ask(with_norm, batch, targets, rule), expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("rule", ["lrp-composite", "deeplift-rescale"])
def test_siblings_share_the_trace_and_keep_their_weights(rule: str) -> None:
    first, other = (KerasClassifier(Chain(bias=True).model) for _ in range(2))
    shuffled(other.model, seed=5)
    sibling = first.sibling(other.model.get_weights())
    batch, targets = images(first, 2), np.array([0, 1])
    for _ in range(2):
        mine = ask(first, batch, targets, rule)
        np.testing.assert_allclose(
            ask(sibling, batch, targets, rule), ask(other, batch, targets, rule), rtol=1e-4, atol=1e-6
        )
        assert np.abs(mine - ask(sibling, batch, targets, rule)).max() > 0
    assert {f.experimental_get_tracing_count() for f in first._compiled.values()} == {1}


def test_an_addition_may_have_one_tensor_twice() -> None:
    inputs = keras.Input((4, 4, 1))
    x = LAYERS.ReLU()(LAYERS.Conv2D(2, 3, use_bias=False)(inputs))
    x = LAYERS.Flatten()(LAYERS.Add()([x, x]))
    model = keras.Model(inputs, LAYERS.Dense(2, use_bias=False, activation="softmax")(x))
    classifier = KerasClassifier(shuffled(model))
    batch, targets = images(classifier, 3), np.array([0, 1, 1])
    logits = classifier.logits(batch)[np.arange(3), targets]
    for rule in CONSERVING:
        np.testing.assert_allclose(sums(classifier.relevance(batch, targets, rule)), logits, rtol=0.01)


def test_standardised_images_are_explained_at_their_standardised_pixels() -> None:
    def network(inputs: Any, x: Any) -> Any:
        x = LAYERS.Conv2D(3, 3, activation="relu", use_bias=False)(x)
        return keras.Model(inputs, LAYERS.Dense(2, use_bias=False)(LAYERS.Flatten()(x)))

    inputs = keras.Input((8, 8, 1))
    standardise = LAYERS.LayerNormalization(axis=[1, 2, 3], center=False, scale=False)
    with_it, without = network(inputs, standardise(inputs)), network(inputs, inputs)
    shuffled(with_it)
    without.set_weights(with_it.get_weights())
    whole, behind = KerasClassifier(with_it), KerasClassifier(without)
    batch, targets = images(whole, 3), np.array([0, 1, 1])
    standardised = keras.ops.convert_to_numpy(standardise(batch))
    for rule in CONSERVING:
        expected = behind.relevance(standardised, targets, rule)
        np.testing.assert_allclose(whole.relevance(batch, targets, rule), expected, rtol=1e-3, atol=1e-5)
    baseline = images(whole, 4)[3]
    found = whole.relevance(batch, targets, "deeplift-rescale", baseline)
    expected = whole.logits(batch) - whole.logits(baseline[None])
    np.testing.assert_allclose(sums(found), expected[np.arange(3), targets], rtol=1e-3, atol=1e-5)


def test_volumes_are_explained_too() -> None:
    inputs = keras.Input((4, 8, 8, 1))
    x = LAYERS.Conv3D(3, 3, padding="same", use_bias=False, activation="relu")(inputs)
    x = LAYERS.Conv3D(3, 3, padding="same", use_bias=False, activation="relu")(LAYERS.MaxPooling3D(2)(x))
    outputs = LAYERS.Dense(2, use_bias=False, activation="softmax")(LAYERS.GlobalAveragePooling3D()(x))
    classifier = KerasClassifier(shuffled(keras.Model(inputs, outputs)))
    batch, targets = images(classifier, 2), np.array([0, 1])
    logits = classifier.logits(batch)[np.arange(2), targets]
    found = classifier.relevance(batch, targets, "lrp-composite")
    np.testing.assert_allclose(sums(found), logits, rtol=0.01)
    assert classifier.features(batch).shape == (2, 2, 4, 4, 3)
    assert classifier.head_weights() is not None


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (LAYERS.Activation("swish", name="swish"), "swish"),
        (LAYERS.LeakyReLU(name="leaky"), "leaky"),
        (LAYERS.ReLU(negative_slope=0.1, name="sloped"), "sloped"),
        (LAYERS.Conv2D(2, 3, activation="gelu", name="gelu"), "gelu"),
        (LAYERS.LayerNormalization(name="norm"), "norm"),
        (LAYERS.Conv2DTranspose(2, 3, name="up"), "up"),
    ],
)
def test_a_layer_that_no_rule_knows_is_refused_by_its_name(layer: Any, name: str) -> None:
    inputs = keras.Input((8, 8, 1))
    x = layer(LAYERS.Conv2D(2, 3, activation="relu")(inputs))
    classifier = KerasClassifier(
        keras.Model(inputs, LAYERS.Dense(2, activation="softmax")(LAYERS.Flatten()(x)))
    )
    assert classifier.backward_rules == {"guided", "deconv"}
    batch = images(classifier, 2)
    for rule in ("z-plus", "lrp-composite", "deeplift-rescale"):
        with pytest.raises(NotApplicable, match=f"no rule for layer '{name}'"):
            classifier.relevance(batch, np.array([0, 1]), rule)
    assert np.isfinite(classifier.relevance(batch, np.array([0, 1]), "guided")).all()


@pytest.mark.parametrize("name", ["VGG16", "ResNet50", "Xception", "MobileNet", "MobileNetV2"])
def test_the_published_networks_are_made_of_known_layers(name: str) -> None:
    model = getattr(keras.applications, name)(weights=None, input_shape=(96, 96, 3), classes=2)
    assert KerasClassifier(model).backward_rules == set(RULES)


def test_the_compact_resnet_is_made_of_known_layers() -> None:
    assert KerasClassifier(compact_resnet()).backward_rules == set(RULES)


def test_guided_backpropagation_needs_a_relu() -> None:
    classifier = linear(np.ones((4, 4, 1)))
    assert "guided" not in classifier.backward_rules
    with pytest.raises(NotApplicable, match="plain gradient"):
        classifier.relevance(images(classifier), np.array([0, 1, 1]), "guided")


def test_logits_that_are_read_back_send_no_relevance() -> None:
    inputs = keras.Input((4, 4, 1))
    z = LAYERS.Dense(2, activation="relu")(LAYERS.Flatten()(inputs))
    averaged = LAYERS.Average()([keras.ops.softmax(z), keras.ops.softmax(2 * z)])
    classifier = KerasClassifier(keras.Model(inputs, averaged))
    with pytest.raises(NotApplicable, match="read back"):
        classifier.relevance(images(classifier), np.array([0, 1, 1]), "lrp-composite")


def test_an_unknown_rule_and_a_missing_baseline_are_told() -> None:
    classifier = linear(np.ones((4, 4, 1)))
    assert Need.BACKWARD_RULES in classifier.offers
    with pytest.raises(XaibenchError, match="did you mean 'lrp-composite'"):
        classifier.relevance(images(classifier), np.array([0, 1, 1]), "lrp-composit")
    with pytest.raises(ValueError, match="baseline"):
        classifier.relevance(images(classifier), np.array([0, 1, 1]), "deeplift-rescale")
