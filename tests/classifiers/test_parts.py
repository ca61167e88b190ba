"""Parts of a Keras classifier: logits from changed feature maps, and layers with fresh weights."""

import random
from typing import Any

import keras
import numpy as np
import pytest

from tests.closed_form import images, linear, pooled, small_resnet
from xaibench.api import Need, NotApplicable, XaibenchError
from xaibench.classifiers.keras import KerasClassifier
from xaibench.classifiers.keras.randomising import _seeded

LAYERS = keras.layers
HEAD = np.array([[1.0, -2.0], [3.0, 0.5]])


def traces(classifier: KerasClassifier) -> set[int]:
    return {function.experimental_get_tracing_count() for function in classifier._compiled.values()}


# ---------------------------------------------------------------- logits from changed feature maps


def test_logits_from_features_of_a_pooled_head_are_the_mean_times_the_head() -> None:
    classifier = pooled(np.array([[1.0, 2.0]]), HEAD)
    maps = np.random.default_rng(0).normal(size=(2, 3, 8, 8, 2)).astype(np.float32)
    expected = maps.mean(axis=(2, 3)) @ HEAD
    np.testing.assert_allclose(classifier.logits_from_features(maps), expected, atol=1e-5)
    assert classifier.passes[:2] == (6, 0)


@pytest.mark.parametrize("layer", [None, "block_end", "batch_normalization"])
def test_unchanged_features_give_the_models_own_logits(layer: str | None) -> None:
    classifier = small_resnet()
    batch = images(classifier, 5)
    if layer == "batch_normalization":  # the shortcut goes past it
        layer = next(name for name in classifier.random_layers if name.startswith(layer))
        with pytest.raises(NotApplicable, match="go past 'batch_normalization"):
            classifier.logits_from_features(classifier.features(batch, layer), layer)
        return
    found = classifier.logits_from_features(classifier.features(batch, layer), layer)
    np.testing.assert_allclose(found, classifier.logits(batch), atol=1e-6)


def test_changed_features_give_the_logits_of_a_plain_submodel() -> None:
    classifier = small_resnet(classes=3)
    behind = keras.Input((16, 16, 8))
    x = behind
    for layer in classifier.model.layers[-2:]:
        x = layer(x)
    plain = keras.Model(behind, x)
    maps = classifier.features(images(classifier, 4))
    maps[..., 2] = 0
    logits = classifier.logits_from_features(maps)
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(scores, plain.predict(maps, verbose=0), atol=1e-6)
    classifier.logits_from_features(maps[:1])
    assert traces(classifier) == {1}


def test_a_layer_that_is_bypassed_is_not_offered() -> None:
    inputs = keras.Input((8, 8, 1))
    pooled_maps = LAYERS.GlobalAveragePooling2D()(LAYERS.Conv2D(2, 3, name="maps")(inputs))
    both = LAYERS.Concatenate()([pooled_maps, LAYERS.Flatten()(inputs)])
    classifier = KerasClassifier(keras.Model(inputs, LAYERS.Dense(2, activation="softmax")(both)))
    assert Need.LOGITS_FROM_FEATURES not in classifier.offers
    with pytest.raises(NotApplicable, match="go past 'maps'"):
        classifier.logits_from_features(classifier.features(images(classifier)))


def test_maps_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="but the model takes"):
        small_resnet().logits_from_features(np.zeros((1, 4, 4, 8), np.float32))


# ---------------------------------------------------------------- fresh weights


def constant() -> KerasClassifier:
    """Trained weights 1; fresh ones, by its initialisers, are 2 (convolution) and 3 (dense layer)."""
    two, three = keras.initializers.Constant(2.0), keras.initializers.Constant(3.0)
    inputs = keras.Input((4, 4, 1))
    x = LAYERS.Conv2D(1, 1, use_bias=False, kernel_initializer=two, name="conv")(inputs)
    x = LAYERS.GlobalAveragePooling2D()(x)
    x = LAYERS.Dense(2, use_bias=False, kernel_initializer=three, activation="softmax", name="dense")(x)
    model = keras.Model(inputs, x)
    model.set_weights([np.ones_like(weight) for weight in model.get_weights()])
    return KerasClassifier(model)


def test_trap_09_the_cascade_starts_from_the_trained_weights() -> None:
    classifier = constant()
    batch = images(classifier, 3)
    mean = batch.mean(axis=(1, 2))
    assert classifier.random_layers == ("dense", "conv")
    one = classifier.randomised(0, "dense")
    both = classifier.randomised(0, "conv")
    for _ in range(2):  # in turns: each finds another's weights in the shared model
        np.testing.assert_allclose(one.logits(batch), np.repeat(3 * mean, 2, axis=1), rtol=1e-6)
        np.testing.assert_allclose(both.logits(batch), np.repeat(6 * mean, 2, axis=1), rtol=1e-6)
        np.testing.assert_allclose(classifier.logits(batch), np.repeat(mean, 2, axis=1), rtol=1e-6)
    assert traces(classifier) == {1}


def weights(classifier: KerasClassifier) -> dict[str, list[np.ndarray]]:
    classifier._activate()
    return {layer.name: layer.get_weights() for layer in classifier.model.layers if layer.weights}


def test_each_layer_is_drawn_from_seed_and_name_alone() -> None:
    classifier = small_resnet()
    names = classifier.random_layers
    deep, shallow = (weights(classifier.randomised(7, name)) for name in (names[-1], names[0]))
    trained, again = weights(classifier), weights(classifier.randomised(7, names[-1]))
    other = weights(classifier.randomised(8, names[-1]))
    for name in names:
        same = [np.array_equal(a, b) for a, b in zip(deep[name], again[name], strict=True)]
        assert all(same)
        expected = deep[name] if name == names[0] else trained[name]
        np.testing.assert_array_equal(shallow[name][0], expected[0])
        if not name.startswith("batch_normalization"):
            assert not np.array_equal(deep[name][0], trained[name][0])
            assert not np.array_equal(deep[name][0], other[name][0])


def test_layers_of_equal_shape_get_different_weights() -> None:
    inputs = keras.Input((4, 4, 2))
    x = LAYERS.Conv2D(2, 3, padding="same", name="a")(inputs)
    x = LAYERS.Conv2D(2, 3, padding="same", name="b")(x)
    model = keras.Model(inputs, LAYERS.Dense(2, activation="softmax", name="c")(LAYERS.Flatten()(x)))
    found = weights(KerasClassifier(model).randomised(0, "a"))
    assert not np.array_equal(found["a"][0], found["b"][0])


def test_fresh_weights_are_spread_as_the_initialiser_says() -> None:
    model = keras.Sequential([keras.Input((16, 16, 4)), LAYERS.Flatten(), LAYERS.Dense(50, name="first")])
    model.add(LAYERS.Dense(2, activation="softmax", name="last"))
    model.set_weights([weight * 0 for weight in model.get_weights()])
    kernel = weights(KerasClassifier(model).randomised(0, "first"))["first"][0]
    limit = np.sqrt(6 / (1024 + 50))  # Glorot and Bengio 2010, eq. 16
    assert 0.99 * limit < np.abs(kernel).max() <= limit
    np.testing.assert_allclose(kernel.std(), limit / np.sqrt(3), rtol=0.02)


def test_batch_norm_is_fresh_in_statistics_too_and_a_fixed_seed_in_a_layer_does_not_stay() -> None:
    inputs = keras.Input((4, 4, 1))
    fixed = keras.initializers.GlorotUniform(seed=3)
    x = LAYERS.Conv2D(2, 3, kernel_initializer=fixed, name="conv")(inputs)
    x = LAYERS.BatchNormalization(name="norm")(x)
    model = keras.Model(inputs, LAYERS.Dense(2, activation="softmax")(LAYERS.Flatten()(x)))
    model.get_layer("norm").set_weights([np.full(2, 5.0)] * 4)
    classifier = KerasClassifier(model)
    first, second = (weights(classifier.randomised(seed, "conv")) for seed in (0, 1))
    np.testing.assert_array_equal(first["norm"], [[1, 1], [0, 0], [0, 0], [1, 1]])
    assert not np.array_equal(first["conv"][0], second["conv"][0])


def test_nobody_elses_random_numbers_are_touched() -> None:
    # Not by a whole call: beartype, which checks types in tests, draws from the same generator.
    before = random.getstate()
    with _seeded(1):
        first = random.random()
    with _seeded(1):
        assert random.random() == first
    assert random.getstate() == before


def test_preprocessing_is_not_randomised_and_names_are_told_apart() -> None:
    def branch(name: str) -> Any:
        return keras.Sequential([keras.Input((4, 4, 1)), LAYERS.Conv2D(1, 3, name="conv")], name=name)

    inputs = keras.Input((4, 4, 1))
    x = LAYERS.Normalization(mean=0.5, variance=4.0, name="fixed")(inputs)
    x = LAYERS.Normalization(axis=None, name="adapted")(x)
    x = LAYERS.Add()([branch("one")(x), branch("two")(x)])
    model = keras.Model(inputs, LAYERS.Dense(2, activation="softmax", name="d")(LAYERS.Flatten()(x)))
    classifier = KerasClassifier(model)
    assert classifier.random_layers == ("d", "conv", "conv#2")
    shallow, deep = classifier.randomised(0, "conv"), classifier.randomised(0, "conv#2")
    assert shallow.fingerprint != deep.fingerprint


def test_an_unknown_layer_is_named_with_the_known_ones() -> None:
    with pytest.raises(XaibenchError, match="no layer with weights 'nope'"):
        small_resnet().randomised(0, "nope")


def test_a_randomised_classifier_is_a_classifier_like_any_other() -> None:
    classifier = linear(np.ones((4, 4, 1)))
    fresh = classifier.randomised(0, classifier.random_layers[0])
    assert Need.RANDOMISED in fresh.offers
    assert fresh.n_classes == 2
    assert fresh.fingerprint != classifier.fingerprint
    again = fresh.randomised(0, classifier.random_layers[0])
    assert again.fingerprint == fresh.fingerprint
