"""Attention of a transformer's layers, and how the logits hang on it."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from xaibench.classifiers.keras.flat import Step
from xaibench.classifiers.keras.functions import Function, inner_gradients
from xaibench.classifiers.keras.graph import Graph


def attention_refusal(steps: Sequence[Step]) -> str:
    """One sentence if a model has no attention `[layers n heads tokens tokens]`; else empty."""
    calls = _attention_calls(steps)
    if not calls:
        return "the model has no keras.layers.MultiHeadAttention, so it has no attention"
    for step in calls:
        if not _is_self_attention(step):
            return f"layer {step.name!r} does not attend from a sequence of tokens to the same sequence"
    sizes = {tuple(step.outputs[1].shape[1:3]) for step in calls}
    if len(sizes) > 1:
        return f"the model's attention layers differ in (heads, tokens): {sorted(sizes)}"
    return ""


def attention_and_gradients(graph: Graph) -> Function:
    """Function of images and targets: attention of each layer, and the gradient of the target's logit.

    Both `[n layers heads tokens tokens]`; a row of attention sums to 1.
    """
    tensors = [step.outputs[1] for step in _attention_calls(graph.steps)]
    of_layers = inner_gradients(graph.inner_and_logits(*tensors))

    def compute(images: Any, targets: Any) -> tuple[Any, Any]:
        attention, gradients = of_layers(images, targets)
        return tf.stack(attention, axis=1), tf.stack(gradients, axis=1)

    return compute


def _attention_calls(steps: Sequence[Step]) -> list[Step]:
    return [step for step in steps if isinstance(step.layer, keras.layers.MultiHeadAttention)]


def _is_self_attention(step: Step) -> bool:
    names = ("query", "value", "key")
    given = {**dict(zip(names, step.args, strict=False)), **step.kwargs}
    tokens = [given[name] for name in names if given.get(name) is not None]
    return len(tokens[0].shape) == 3 and all(each is tokens[0] for each in tokens)
