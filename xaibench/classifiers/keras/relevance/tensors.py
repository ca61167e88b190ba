"""What rules do with tensors beside arithmetic, by TensorFlow."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf


class TensorFlowTensors:
    """See `xaibench.classifiers.relevance.tensors.Tensors`."""

    def vjp(self, function: Callable[..., Any], inputs: list[Any], seed: Any) -> list[Any]:
        """Gradient of `sum(function(*inputs) * seed)` with respect to each input; 0 where there is none."""
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            output = function(*inputs)
        found: list[Any] = tape.gradient(output, inputs, output_gradients=seed, unconnected_gradients="zero")
        return found

    def where(self, condition: Any, if_true: Any, if_false: Any) -> Any:
        """Values of one where a condition holds, of another elsewhere."""
        return tf.where(condition, if_true, if_false)

    def positive(self, values: Any) -> Any:
        """Values above 0, and 0 elsewhere."""
        return tf.maximum(values, 0.0)

    def level(self, values: Any) -> Any:
        """Mean magnitude of each image's values."""
        return tf.reduce_mean(tf.abs(values), list(range(1, len(values.shape))), keepdims=True)

    def box(self, seen: Any) -> tuple[Any, Any]:
        """Range of each image's own values, channel by channel."""
        axes = list(range(1, len(seen.shape) - 1))
        low, high = tf.reduce_min(seen, axes, keepdims=True), tf.reduce_max(seen, axes, keepdims=True)
        return tf.broadcast_to(low, tf.shape(seen)), tf.broadcast_to(high, tf.shape(seen))

    def like(self, one: Any, many: Any) -> Any:
        """One image's values for each of many images."""
        return tf.broadcast_to(one, tf.shape(many))

    def of_targets(self, logits: Any, targets: Any) -> Any:
        """Logit of each image's target."""
        return tf.gather(logits, targets, axis=1, batch_dims=1)

    def ones(self, targets: Any) -> Any:
        """A 1 for each target."""
        return tf.ones_like(targets, tf.float32)
