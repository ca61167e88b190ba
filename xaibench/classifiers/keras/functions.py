"""What is traced: functions of flat batches of tensors, each built from a part of the model's graph."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

Function = Callable[..., Any]


def masked(part: Function) -> Function:
    """Forward pass of `mask * image + (1 - mask) * baseline`, composed where it is used."""

    def compute(image: Any, masks: Any, baseline: Any) -> Any:
        kept = masks[..., None]
        return part(kept * image + (1 - kept) * baseline)

    return compute


def input_gradient(logits: Function) -> Function:
    """Gradient of the target's logit with respect to the images."""

    def compute(images: Any, targets: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(images)
            logit = tf.gather(logits(images), targets, axis=1, batch_dims=1)
        return tape.gradient(logit, images, unconnected_gradients="zero")

    return compute


def inner_gradients(part: Function) -> Function:
    """Inner tensors and the gradient of the target's logit with respect to them; the last end of `part` is logits."""

    def compute(images: Any, targets: Any) -> tuple[list[Any], list[Any]]:
        with tf.GradientTape() as tape:
            tape.watch(images)
            *inner, logits = part(images)
            logit = tf.gather(logits, targets, axis=1, batch_dims=1)
        gradients = tape.gradient(logit, inner, unconnected_gradients="zero")
        return [tf.cast(t, tf.float32) for t in inner], [tf.cast(t, tf.float32) for t in gradients]

    return compute
