"""Dense heads on frozen features, many at a time: all folds and label permutations in one training loop.

Each head sees its own labels, its own training slices and its own scaling; they share only the features and the
schedule. A head trained among others is the head trained alone (to float tolerance).

Features are centred one by one, but scaled by one common factor. Scaled one by one they would all pull alike, and
folded back, the largest weights would belong to the maps that vary least: faint maps would be called important.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from jaxtyping import Float, Float32, Float64, Int


@dataclass(frozen=True)
class HeadSchedule:
    """How a head is trained: Adam on all training slices at once, so neither order nor batch matters."""

    hidden: int = 0
    """Units of a hidden layer; 0 = none, so that each feature map has one weight a class."""
    steps: int = 200
    rate: float = 0.02
    decay: float = 0.5
    """Factor of the squared kernels in the loss."""
    seed: int = 0
    """Of the start of a hidden layer; without one, all heads start at zero."""


class Heads(NamedTuple):
    """Trained heads."""

    weights: list[list[np.ndarray]]
    """For each head kernel and bias of its dense layers, to be applied to raw features."""
    probabilities: Float32[np.ndarray, "n b"]
    """Of class 1, for each slice by each head."""
    losses: Float32[np.ndarray, "steps 2 b"]
    """Cross-entropy before each step: of the training slices (weighted), and of the others (mean)."""


class _Scale(NamedTuple):
    """Scaling of the features by the training slices of each head: (x - shift) * factor."""

    shift: np.ndarray
    """[d b]."""
    factor: np.ndarray
    """[b]: one for all features, so that they spread by 1 in the root mean square."""


def train_heads(
    features: Float32[np.ndarray, "n d"],
    labels: Int[np.ndarray, "n b"],
    weights: Float64[np.ndarray, "n b"],
    schedule: HeadSchedule,
) -> Heads:
    """Train b heads on pooled features. A weight of 0 keeps a slice, and its label, out of a head's training."""
    common, centred = _conditioned(features)
    scale = _scaled_by(centred, weights > 0)
    state = [tf.Variable(part) for part in _start(features.shape[1], weights.shape[1], schedule)]
    data = (
        *(tf.constant(array, tf.float32) for array in (centred, scale.shift[..., None])),
        tf.constant(scale.factor[:, None], tf.float32),
        tf.constant(labels, tf.int32),
        *(tf.constant(array, tf.float32) for array in (weights, _held_out(weights))),
    )
    losses = _trained(state, data, schedule)
    chances = tf.nn.softmax(_logits(state, *data[:3]))[..., 1].numpy()
    trained = [part.numpy() for part in state]
    heads = [
        _on_raw_features([p[:, b] if i == 0 else p[b] for i, p in enumerate(trained)], scale, common, b)
        for b in range(weights.shape[1])
    ]
    return Heads(heads, chances, tf.stack(losses).numpy())


def apply_head(weights: list[np.ndarray], features: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n 2"]:
    """Class probabilities of pooled features by one head."""
    x = features
    for kernel, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        x = np.maximum(x @ kernel + bias, 0)
    z = x @ weights[-2] + weights[-1]
    rising = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(rising / rising.sum(axis=1, keepdims=True))


def _conditioned(features: np.ndarray) -> tuple[_Scale, np.ndarray]:
    """Centre and scale all features for all heads: float32 then loses nothing; each head's own scale undoes it."""
    shift = features.mean(axis=0, dtype=np.float64)
    factor = _factor(features.var(axis=0, dtype=np.float64))
    return _Scale(shift, factor), (features - shift) * factor


def _scaled_by(centred: np.ndarray, used: np.ndarray) -> _Scale:
    share = used / used.sum(axis=0)  # [n b]
    shift = centred.T @ share
    return _Scale(shift, _factor((centred**2).T @ share - shift**2))


def _factor(variances: Float64[np.ndarray, "d *b"]) -> Float64[np.ndarray, "*b"]:
    spread = np.sqrt(np.maximum(variances, 0).mean(axis=0))
    return np.asarray(np.where(spread > 1e-6, 1 / np.maximum(spread, 1e-30), 0.0))


def _held_out(weights: np.ndarray) -> np.ndarray:
    out = weights == 0
    return np.asarray(out / np.maximum(out.sum(axis=0), 1))


def _start(d: int, b: int, schedule: HeadSchedule) -> list[Any]:
    """First kernel `[d b units]`, its bias `[b units]`, and with a hidden layer a second pair `[b ...]`."""
    if not schedule.hidden:
        return [tf.zeros((d, b, 2)), tf.zeros((b, 2))]
    rng = np.random.default_rng(schedule.seed)
    units = schedule.hidden
    first = rng.normal(0, np.sqrt(2 / d), (d, 1, units)).repeat(b, axis=1)
    second = rng.normal(0, np.sqrt(1 / units), (1, units, 2)).repeat(b, axis=0)
    arrays = (first, np.zeros((b, units)), second, np.zeros((b, 2)))
    return [tf.constant(array, tf.float32) for array in arrays]


def _logits(state: list[Any], features: Any, shift: Any, factor: Any) -> Any:
    scaled = state[0] * factor
    z = tf.tensordot(features, scaled, 1) - tf.reduce_sum(shift * scaled, axis=0) + state[1]  # [n b units]
    if len(state) == 2:
        return z
    return tf.einsum("nbh,bhk->nbk", tf.nn.relu(z), state[2]) + state[3]


def _trained(state: list[Any], data: tuple[Any, ...], schedule: HeadSchedule) -> list[Any]:
    """Train in place, and return the losses before each step."""
    adam = keras.optimizers.Adam(schedule.rate)
    adam.build(state)

    @tf.function  # type: ignore[untyped-decorator]  # TensorFlow has no types
    def step() -> Any:
        gradients, losses = _gradients(state, data, schedule.decay)
        adam.apply(gradients, state)
        return losses

    return [step() for _ in range(schedule.steps)]


def _gradients(state: list[Any], data: tuple[Any, ...], decay: float) -> tuple[list[Any], Any]:
    features, shift, factor, labels, weights, others = data
    with tf.GradientTape() as tape:
        entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels, _logits(state, features, shift, factor)
        )
        losses = tf.stack([tf.reduce_sum(entropy * part, axis=0) for part in (weights, others)])
        # Heads share no parameter, so the sum over heads has each head's own gradient.
        total = tf.reduce_sum(losses[0]) + decay * sum(tf.reduce_sum(kernel**2) for kernel in state[::2])
    return tape.gradient(total, state), losses


def _on_raw_features(parts: list[np.ndarray], scale: _Scale, common: _Scale, b: int) -> list[np.ndarray]:
    """Fold both scalings into the first layer, so that a saved model needs none."""
    factor = common.factor * scale.factor[b]
    kernel = parts[0] * factor
    start = common.shift * factor + scale.shift[:, b] * scale.factor[b]
    bias = parts[1] - start @ parts[0]
    return [part.astype(np.float32) for part in (kernel, bias, *parts[2:])]
