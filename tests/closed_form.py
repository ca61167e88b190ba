"""Models whose answers are known: an explanation's or a metric's right value follows from them by hand."""

import keras
import numpy as np

from xaibench.classifiers.keras import KerasClassifier


def linear(weights: np.ndarray, bias: float = 0.0) -> KerasClassifier:
    """Two classes with logits (0, weights . x + bias); weights are [*space c]."""
    model = keras.Sequential(
        [keras.Input(weights.shape), keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")]
    )
    kernel = np.stack([np.zeros(weights.size), weights.ravel()], axis=1)
    model.layers[-1].set_weights([kernel.astype(np.float32), np.array([0, bias], np.float32)])
    return KerasClassifier(model)


def pooled(filters: np.ndarray, head: np.ndarray, size: int = 8) -> KerasClassifier:
    """One 1x1 convolution `filters` [c maps] with ReLU, global average pooling, and a dense head [maps k]."""
    channels, maps = filters.shape
    model = keras.Sequential(
        [
            keras.Input((size, size, channels)),
            keras.layers.Conv2D(maps, 1, activation="relu", use_bias=False, name="maps"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(head.shape[1], activation="softmax", use_bias=False),
        ]
    )
    model.layers[0].set_weights([filters[None, None].astype(np.float32)])
    model.layers[-1].set_weights([head.astype(np.float32)])
    return KerasClassifier(model)


def small_resnet(size: int = 32, channels: int = 1, classes: int = 2, seed: int = 0) -> KerasClassifier:
    """A tiny residual network with random weights, batch norm included: generic, nothing about it is special."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((size, size, channels))
    x = keras.layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(inputs)
    y = keras.layers.Conv2D(8, 3, padding="same", use_bias=False)(x)
    y = keras.layers.BatchNormalization()(y)
    x = keras.layers.ReLU(name="block_end")(keras.layers.Add()([x, y]))
    x = keras.layers.GlobalAveragePooling2D()(x)
    outputs = keras.layers.Dense(classes, activation="softmax", kernel_initializer="random_normal")(x)
    return KerasClassifier(keras.Model(inputs, outputs))


def images(classifier: KerasClassifier, count: int = 3, seed: int = 0) -> np.ndarray:
    """Smooth-ish random images in [0, 1] of the classifier's input size."""
    rng = np.random.default_rng(seed)
    return rng.random((count, *classifier.input_shape), dtype=np.float32)
