"""Small networks with attention, and a transformer's forward pass written out in NumPy."""

from typing import Any, NamedTuple

import keras
import numpy as np
from scipy.special import softmax

from xaibench.classifiers.keras import KerasClassifier
from xaibench.models.cbam_resnet import attended

LAYERS = keras.layers
WIDTH = 8


def transformer(
    space: tuple[int, int] = (8, 12),
    channels: int = 1,
    *,
    patch: int = 4,
    depth: int = 2,
    class_token: bool = False,
    seed: int = 0,
) -> KerasClassifier:
    """A pre-norm transformer of two heads with random weights, large enough that attention is far from uniform."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((*space, channels))
    x = LAYERS.Conv2D(WIDTH, patch, strides=patch, kernel_initializer="random_normal")(inputs)
    x = LAYERS.Reshape((-1, WIDTH), name="tokens")(LAYERS.Rescaling(30.0)(x))
    if class_token:
        x = LAYERS.Concatenate(axis=1, name="with_class")([keras.ops.max(x, axis=1, keepdims=True), x])
    for number in range(depth):
        x = _block(x, number)
    pooled = x[:, 0] if class_token else keras.ops.mean(x, axis=1)
    outputs = LAYERS.Dense(2, activation="softmax", name="head")(pooled)
    return KerasClassifier(keras.Model(inputs, outputs))


def _block(x: Any, number: int) -> Any:
    y = LAYERS.LayerNormalization(name=f"norm{number}")(x)
    large = keras.initializers.RandomNormal(stddev=0.8)
    x = x + LAYERS.MultiHeadAttention(2, 4, kernel_initializer=large, name=f"attention{number}")(y, y)
    return x + LAYERS.Dense(WIDTH, activation="tanh", name=f"dense{number}")(x)


class Change(NamedTuple):
    """One entry of a layer's attention, and by how much it is changed."""

    layer: int
    place: tuple[int, ...]
    by: float


def slow_transformer(
    model: Any, image: np.ndarray, change: Change | None = None
) -> tuple[list[np.ndarray], np.ndarray]:
    """Attention `[heads tokens tokens]` of each layer and logits `[k]` of `transformer`, by its weights in NumPy."""
    names = [layer.name for layer in model.layers]
    start = "with_class" if "with_class" in names else "tokens"
    x = np.float64(keras.Model(model.input, model.get_layer(start).output)(image[None])[0])
    found = []
    for number in range(sum(name.startswith("attention") for name in names)):
        weights = {part: _weights(model, f"{part}{number}") for part in ("norm", "attention", "dense")}
        y, attention = _attended(_normalised(x, *weights["norm"]), weights["attention"], number, change)
        found.append(attention)
        x = x + y
        kernel, bias = weights["dense"]
        x = x + np.tanh(x @ kernel + bias)
    kernel, bias = _weights(model, "head")
    return found, (x[0] if start == "with_class" else x.mean(axis=0)) @ kernel + bias


def _weights(model: Any, layer: str) -> list[np.ndarray]:
    return [weight.astype(np.float64) for weight in model.get_layer(layer).get_weights()]


def _normalised(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> np.ndarray:
    spread = np.sqrt(x.var(axis=1, keepdims=True) + 1e-3)
    return gamma * (x - x.mean(axis=1, keepdims=True)) / spread + beta


def _attended(
    x: np.ndarray, weights: list[np.ndarray], layer: int, change: Change | None
) -> tuple[np.ndarray, np.ndarray]:
    """Attention is softmax(Q K / sqrt d) of each head; what it mixes is V, and each head has its own output kernel."""
    wq, bq, wk, bk, wv, bv, wo, bo = weights
    heads, mixed = [], bo
    for head in range(wq.shape[1]):
        q, k, v = (x @ w[:, head] + b[head] for w, b in ((wq, bq), (wk, bk), (wv, bv)))
        heads.append(softmax(q @ k.T / np.sqrt(q.shape[1]), axis=1))
        if change and change.layer == layer and change.place[0] == head:
            heads[-1][change.place[1:]] += change.by
        mixed = mixed + heads[-1] @ v @ wo[head]
    return mixed, np.stack(heads)


def attentive_resnet(space: tuple[int, int] = (32, 40), channels: int = 1, seed: int = 0) -> KerasClassifier:
    """One convolution with CBAM attention, named as the last block of cbam-resnet."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((*space, channels))
    x = LAYERS.Conv2D(16, 4, strides=2, padding="same", activation="relu")(inputs)
    x = LAYERS.Add(name="block4")([x, attended(x, "block4")])
    outputs = LAYERS.Dense(2, activation="softmax")(LAYERS.GlobalAveragePooling2D()(x))
    return KerasClassifier(keras.Model(inputs, outputs))
