"""Networks that backward rules are tried on."""

from functools import cache
from typing import Any

import keras
import numpy as np

from xaibench.classifiers.keras import KerasClassifier

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


def matrix(layer: Any, size: tuple[int, ...]) -> np.ndarray:
    """Linear layer without bias as a matrix [inputs, outputs], found by basis images."""
    basis = np.eye(int(np.prod(size)), dtype=np.float32).reshape(-1, *size)
    return keras.ops.convert_to_numpy(layer(basis)).reshape(len(basis), -1)


class Chain:
    """Convolution, ReLU, average pooling, convolution, ReLU, dense layer; as Keras layers and as matrices.

    Without its second ReLU, convolution and dense layer see values below 0.
    """

    def __init__(self, bias: bool, second_relu: bool = True) -> None:
        self.least = 0 if second_relu else -np.inf
        inputs = keras.Input((6, 6, 1))
        steps = [
            LAYERS.Conv2D(3, 3, padding="same", use_bias=bias),
            LAYERS.ReLU(),
            LAYERS.AveragePooling2D(2),
            LAYERS.Conv2D(4, 2, use_bias=bias),
            LAYERS.ReLU() if second_relu else LAYERS.Identity(),
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
        values.append(np.maximum(values[2] @ second + self.biases[2], self.least))
        values.append(values[3] @ dense + self.biases[3])
        return values


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
    x = LAYERS.BatchNormalization()(x)
    x = LAYERS.Add()([x, LAYERS.BatchNormalization()(LAYERS.Conv2D(16, 1, use_bias=bias)(x))])
    x = LAYERS.Conv2D(8, 1, use_bias=bias)(x)
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
