"""What is traced: functions of flat batches of tensors, each built from a part of the model's graph."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

Function = Callable[..., Any]


def forward(start: Any, end: Any) -> Function:
    """Part of the graph between two symbolic tensors."""
    part = keras.Function(start, end)
    return lambda tensors: tf.cast(part(tensors), tf.float32)


def masked_forward(start: Any, end: Any) -> Function:
    """Forward pass of `mask * image + (1 - mask) * baseline`, composed where it is used."""
    part = forward(start, end)

    def compute(image: Any, masks: Any, baseline: Any) -> Any:
        kept = masks[..., None]
        return part(kept * image + (1 - kept) * baseline)

    return compute


def gradient(start: Any, logits: Any) -> Function:
    """Gradient of the target's logit with respect to the images."""
    part = forward(start, logits)

    def compute(images: Any, targets: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(images)
            logit = tf.gather(part(images), targets, axis=1, batch_dims=1)
        return tape.gradient(logit, images, unconnected_gradients="zero")

    return compute


def inner_gradient(start: Any, inner: Any, logits: Any) -> Function:
    """An inner tensor and the gradient of the target's logit with respect to it."""
    part = keras.Function(start, [inner, logits])

    def compute(images: Any, targets: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(images)
            found, logits = part(images)
            logit = tf.gather(logits, targets, axis=1, batch_dims=1)
        gradients = tape.gradient(logit, found, unconnected_gradients="zero")
        return tf.cast(found, tf.float32), tf.cast(gradients, tf.float32)

    return compute
