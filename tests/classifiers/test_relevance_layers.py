"""Backward rules on the layers of real networks: conservation, summation to the difference, what is refused."""

from typing import Any

import keras
import numpy as np
import pytest

from tests.classifiers.relevance_models import (
    CONSERVING,
    LAYERS,
    RULES,
    ask,
    biased,
    shuffled,
    sums,
    unbiased,
    varied,
)
from tests.closed_form import images, linear
from xaibench.api import Need, NotApplicable, XaibenchError
from xaibench.classifiers.keras import KerasClassifier
from xaibench.models.compact_resnet import compact_resnet

pytestmark = pytest.mark.usefixtures("untraced")

# ---------------------------------------------------------------- what real networks are made of


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
    alone = ask(classifier, batch[2:3], targets[2:3], rule)
    np.testing.assert_allclose(alone, together[2:3], atol=1e-5 * np.abs(together).max())


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


@pytest.mark.parametrize("rule", RULES)
def test_layers_of_half_precision_are_explained_in_single_precision(rule: str) -> None:
    def network(precision: str) -> KerasClassifier:
        inputs = keras.Input((8, 8, 1))
        x = LAYERS.Conv2D(3, 3, dtype=precision)(LAYERS.Rescaling(2.0, dtype=precision)(inputs))
        x = LAYERS.MaxPooling2D(dtype=precision)(LAYERS.ReLU(dtype=precision)(x))
        x = LAYERS.GlobalAveragePooling2D(dtype=precision)(LAYERS.Conv2D(3, 2, dtype=precision)(x))
        return KerasClassifier(shuffled(keras.Model(inputs, LAYERS.Dense(2, dtype=precision)(x))))

    half, single = network("mixed_float16"), network("float32")
    batch, targets = images(half, 2), np.array([0, 1])
    expected = ask(single, batch, targets, rule)
    found = ask(half, batch, targets, rule)
    np.testing.assert_allclose(found, expected, atol=0.01 * np.abs(expected).max())


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


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["VGG16", "ResNet50", "Xception", "MobileNet"])
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
