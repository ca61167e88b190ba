"""A copy of the model for libraries that call it themselves."""

import copy
from typing import Any

import keras
import numpy as np

from xaibench.api import BorrowedModel
from xaibench.classifiers.keras.flat import Step
from xaibench.classifiers.keras.graph import Graph
from xaibench.classifiers.keras.relevance.network import preprocessing
from xaibench.classifiers.keras.stripping import WithoutActivation


class Copies:
    """Layers of the same kind and weights, under names that no two of them share."""

    def __init__(self) -> None:
        self._made: dict[int, Any] = {}
        self._names: set[str] = set()

    def of(self, layer: Any) -> Any:
        """Copy of a layer or operation, always the same one."""
        if id(layer) not in self._made:
            self._made[id(layer)] = self._copy(layer)
        return self._made[id(layer)]

    def _copy(self, layer: Any) -> Any:
        name = self._unused(layer.name)
        if isinstance(layer, WithoutActivation):
            config = {**layer.layer.get_config(), "name": name, "activation": "linear"}
            return type(layer.layer).from_config(config)
        if isinstance(layer, keras.Layer):
            return type(layer).from_config({**layer.get_config(), "name": name})
        operation = copy.copy(layer)
        operation.name, operation._inbound_nodes, operation._outbound_nodes = name, [], []
        return operation

    def _unused(self, name: str) -> str:
        number = 1
        unused = name
        while unused in self._names:
            number += 1
            unused = f"{name}_{number}"
        self._names.add(unused)
        return unused


def lent_copy(graph: Graph) -> BorrowedModel:
    """Flat model, logits out, with layers of its own: libraries ask a layer for its only output."""
    copies = Copies()
    image = keras.Input(graph.image.shape[1:])
    values = {id(graph.image): image}
    maps, layer = graph.output_of(graph.default_layer()), ""
    for step in graph.steps_to_the_end():
        values |= _called(step, copies, values)
        if step.output is maps:
            layer = copies.of(step.layer).name
    raw = values[id(graph.ending.raw)]
    logits = _logits(raw, graph.ending.units)
    scores = keras.layers.Softmax(name="xaibench_scores")(logits)
    first = preprocessing(graph.image, graph.steps_to_the_end())
    seen = values[id(first[-1].output)] if first else image
    return BorrowedModel(
        keras.Model(image, logits),
        layer,
        keras.Model(image, scores),
        keras.Model(image, seen),
        lambda target: keras.Model(seen, _of_class(logits, target)),
        {},
    )


def _called(step: Step, copies: Copies, values: dict[int, Any]) -> dict[int, Any]:
    """Call the copy of a step's layer, and give it the layer's weights."""
    made = copies.of(step.layer)
    outputs = step.call(values, made)
    source = step.layer.layer if isinstance(step.layer, WithoutActivation) else step.layer
    if getattr(source, "weights", None):
        made.set_weights(source.get_weights())
    return {id(tensor): output for tensor, output in zip(step.outputs, outputs, strict=True)}


def _logits(raw: Any, units: int) -> Any:
    """Logits `[n k]`, by layers whose names no model has."""
    if len(raw.shape) != 2:
        raw = keras.layers.Reshape((units,), name="xaibench_rows")(raw)
    if units > 1:
        return raw
    against = keras.layers.Rescaling(-0.5, name="xaibench_against")(raw)
    in_favour = keras.layers.Rescaling(0.5, name="xaibench_in_favour")(raw)
    return keras.layers.Concatenate(name="xaibench_two_logits")([against, in_favour])


def _of_class(logits: Any, target: int) -> Any:
    """Logit of one class `[n 1]`, by a layer: libraries ask a model's last layer for the output."""
    weights = np.eye(logits.shape[1], dtype=np.float32)[:, target : target + 1]
    pick = keras.layers.Dense(1, use_bias=False, name="xaibench_logit")
    picked = pick(logits)
    pick.set_weights([weights])
    return picked
