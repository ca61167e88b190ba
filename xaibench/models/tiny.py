"""A tiny residual network with random weights, to check plugins on: generic in every respect."""

from typing import Any

import keras

LAYERS = keras.layers


def tiny_classifier(
    height: int = 32, width: int = 40, channels: int = 1, classes: int = 2, seed: int = 0
) -> Any:
    """Network for images `[n height width channels]`; not square, so that swapped axes show."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((height, width, channels))
    x = LAYERS.Conv2D(8, 3, strides=2, padding="same", activation="relu")(inputs)
    y = LAYERS.Conv2D(8, 3, padding="same", use_bias=False)(x)
    y = LAYERS.BatchNormalization()(y)
    x = LAYERS.ReLU(name="block_end")(LAYERS.Add()([x, y]))
    x = LAYERS.GlobalAveragePooling2D()(x)
    outputs = LAYERS.Dense(classes, activation="softmax", kernel_initializer="random_normal")(x)
    return keras.Model(inputs, outputs, name="tiny")
