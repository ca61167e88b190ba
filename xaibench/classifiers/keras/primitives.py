"""The primitives of a Keras classifier: functions of its graph, traced once each."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf

from xaibench.api import NotApplicable
from xaibench.classifiers.base import BaseClassifier
from xaibench.classifiers.batches import even_parts
from xaibench.classifiers.keras import functions
from xaibench.classifiers.keras.acceptance import input_shape_of
from xaibench.classifiers.keras.attention import attention_and_gradients
from xaibench.classifiers.keras.graph import Function, Graph, open_graph
from xaibench.classifiers.keras.relevance.network import network_of
from xaibench.classifiers.keras.sharing import SharedModel
from xaibench.classifiers.relevance.offered import BackwardRules

TARGETS = tf.TensorSpec((None,), tf.int32)
MEMORY_OF_RULES = 4
"""Backward rules keep about that many times the values that a gradient keeps: the batches are so many times smaller."""


class KerasPrimitives(BaseClassifier):
    """A functional or sequential Keras model, asked for flat batches."""

    def __init__(self, model: Any, batch_size: int | None = None, class_names: tuple[str, ...] = ()) -> None:
        super().__init__(input_shape_of(model), batch_size, class_names)
        self.model = model
        self._compiled: dict[str, Callable[..., Any]] = {}
        self._shared: SharedModel | None = None
        self._weights: list[np.ndarray] = []

    def _activate(self) -> None:
        """Put this classifier's own weights into the model, if others share it."""
        if self._shared is not None:
            self._shared.activate(self._weights)

    @cached_property
    def graph(self) -> Graph:
        """The model laid flat."""
        return open_graph(self.model)

    @cached_property
    def _rules(self) -> BackwardRules:
        return BackwardRules(lambda: network_of(self.graph))

    # ------------------------------------------------------------ each for one flat batch

    def _scores(self, images: np.ndarray) -> np.ndarray:
        function = self._traced("scores", self.graph.scores, self._images())
        return _array(function(images))

    def _logits(self, images: np.ndarray) -> np.ndarray:
        function = self._traced("logits", lambda: self.graph.logits_from(self.graph.image), self._images())
        return _array(function(images))

    def _masked_scores(self, image: np.ndarray, masks: np.ndarray, baseline: np.ndarray) -> np.ndarray:
        single = tf.TensorSpec(self.input_shape)
        signature = single, tf.TensorSpec((None, *self.input_shape[:-1])), single
        function = self._traced("masked scores", lambda: functions.masked(self.graph.scores()), *signature)
        return _array(function(image, masks, baseline))

    def _input_gradients(self, images: np.ndarray, targets: np.ndarray) -> np.ndarray:
        def build() -> Function:
            return functions.input_gradient(self.graph.logits_from(self.graph.image))

        function = self._traced("input gradients", build, self._images(), TARGETS)
        return _array(function(images, targets.astype(np.int32)))

    def _features(self, images: np.ndarray, *, layer: str) -> np.ndarray:
        maps = self.graph.output_of(layer)
        function = self._traced(f"features of {layer}", lambda: self.graph.inner(maps), self._images())
        return _array(function(images)[0])

    def _feature_gradients(
        self, images: np.ndarray, targets: np.ndarray, *, layer: str
    ) -> tuple[np.ndarray, np.ndarray]:
        def build() -> Function:
            return functions.inner_gradients(self.graph.inner_and_logits(self.graph.output_of(layer)))

        function = self._traced(f"feature gradients of {layer}", build, self._images(), TARGETS)
        (maps,), (gradients,) = function(images, targets.astype(np.int32))
        return _array(maps), _array(gradients)

    def _logits_from_features(self, features: np.ndarray, *, layer: str) -> np.ndarray:
        if self._is_bypassed(layer):
            raise NotApplicable(f"the logits also depend on layers that go past {layer!r}")
        shape = tf.TensorSpec((None, *features.shape[1:]))
        maps = self.graph.output_of(layer)
        function = self._traced(f"logits from {layer}", lambda: self.graph.logits_from(maps), shape)
        return _array(function(features))

    def _is_bypassed(self, layer: str) -> bool:
        """Tell whether the logits depend on the image past a layer too."""
        try:
            self.graph.logits_from(self.graph.output_of(layer))
        except ValueError:
            return True
        return False

    def _relevance(
        self, images: np.ndarray, targets: np.ndarray, *, rule: str, baseline: np.ndarray | None
    ) -> np.ndarray:
        beside = [self._compared_with(rule, baseline)] if self._rules.compares(rule) else []
        signature = self._images(), TARGETS, *[tf.TensorSpec(self.input_shape)] * len(beside)
        function = self._traced(f"relevance by {rule}", lambda: self._rules.function(rule), *signature)
        rows = []
        for part in even_parts(len(images), -(-self.batch_size // MEMORY_OF_RULES)):
            self._count(forward=len(beside))
            rows.append(_array(function(images[part], targets[part].astype(np.int32), *beside)))
        return np.concatenate(rows)

    def _compared_with(self, rule: str, baseline: np.ndarray | None) -> np.ndarray:
        if baseline is None:
            raise ValueError(f"rule {rule!r} compares with a baseline; give one")
        return baseline

    def _attention(self, images: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        def build() -> Function:
            return attention_and_gradients(self.graph)

        function = self._traced("attention", build, self._images(), TARGETS)
        attention, gradients = function(images, targets.astype(np.int32))
        return _array(attention), _array(gradients)

    def _feature_shape(self, layer: str) -> tuple[int, ...]:
        return tuple(self.graph.output_of(layer).shape[1:])

    # ------------------------------------------------------------ traced functions

    def _traced(self, name: str, build: Callable[[], Function], *signature: Any) -> Function:
        """Trace each function once, for any number of images, so that no batch needs padding."""
        self._activate()
        if name not in self._compiled:
            self._compiled[name] = tf.function(build(), input_signature=signature, autograph=False)
        return self._compiled[name]

    def _images(self) -> Any:
        return tf.TensorSpec((None, *self.input_shape))


def _array(tensor: Any) -> np.ndarray:
    array: np.ndarray = tensor.numpy().astype(np.float32, copy=False)
    return array
