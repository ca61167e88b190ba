"""A Keras image classifier: its primitives are functions of its graph, traced once each."""

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf
from jaxtyping import Float32

from xaibench.api import BorrowedModel, Need, XaibenchError
from xaibench.classifiers.base import BaseClassifier
from xaibench.classifiers.keras import functions
from xaibench.classifiers.keras.graph import Graph, open_graph
from xaibench.classifiers.keras.lending import lent_copy
from xaibench.classifiers.keras.sharing import SharedModel, with_known
from xaibench.classifiers.source import source_hash

OF_MAPS = {Need.FEATURES, Need.FEATURE_GRADIENTS, Need.KERAS}


class KerasClassifier(BaseClassifier):
    """Wraps a functional or sequential Keras model."""

    def __init__(self, model: Any, batch_size: int | None = None, class_names: tuple[str, ...] = ()) -> None:
        shape = getattr(model, "input_shape", None)
        if not isinstance(shape, tuple) or len(shape) not in (4, 5) or None in shape[1:]:
            raise XaibenchError(
                f"The model's input is {shape}; a classifier of images [h w c] of one size is needed."
            )
        super().__init__(tuple(shape[1:]), batch_size, class_names)
        self.model = model
        self._compiled: dict[str, Callable[..., Any]] = {}
        self._shared: SharedModel | None = None
        self._weights: list[np.ndarray] = []

    def sibling(self, weights: Sequence[np.ndarray]) -> "KerasClassifier":
        """Return a classifier of the same layers with other weights, such as another fold's.

        The two share the model and the traced functions; each puts its own weights into it before it answers.
        """
        if self._shared is None:
            self._shared = SharedModel(self.model)
            self._weights = self._shared.active
        other = KerasClassifier(self.model, self.batch_size, self.class_names)
        other.graph = self.graph
        other._compiled = self._compiled
        other._shared = self._shared
        other._weights = with_known(weights, self._weights)
        return other

    def _activate(self) -> None:
        """Put this classifier's own weights into the model, if others share it."""
        if self._shared is not None:
            self._shared.activate(self._weights)

    # ------------------------------------------------------------ what the model is

    @cached_property
    def graph(self) -> Graph:
        """The model laid flat."""
        return open_graph(self.model)

    @property
    def n_classes(self) -> int:
        """Number of classes; a sigmoid unit counts as two."""
        return int(self.graph.logits.shape[1])

    @property
    def exclusive(self) -> bool:
        """Whether an image has exactly one class."""
        return True

    @property
    def default_layer(self) -> str:
        """Name of the layer that CAMs use; raises NotApplicable where there is none."""
        return self.graph.default_layer()

    @cached_property
    def offers(self) -> frozenset[Need]:
        """What this model can be asked for."""
        always = {Need.SCORES, Need.INPUT_GRADIENTS}
        return frozenset(always | OF_MAPS if self.graph.has_maps() else always)

    @property
    def facts(self) -> dict[str, str]:
        """Number of parameters, and the layer whose feature maps are taken by default."""
        layer = self.default_layer if self.graph.has_maps() else "none"
        return {"parameters": f"{self.model.count_params():,}", "layer": layer}

    @cached_property
    def fingerprint(self) -> str:
        """Hash of layers, weights and our code; the same for the same model however it was stored or named."""
        self._activate()
        digest = hashlib.sha256(source_hash().encode())
        for step in self.graph.steps:
            config = {key: value for key, value in step.layer.get_config().items() if key != "name"}
            digest.update(
                f"{type(step.layer).__name__} {json.dumps(config, sort_keys=True, default=str)}".encode()
            )
        for weight in self.model.get_weights():
            digest.update(np.ascontiguousarray(weight).tobytes())
        return digest.hexdigest()

    def head_weights(self) -> Float32[np.ndarray, "maps k"] | None:
        """Weights of the classes on the default layer's maps; None unless the head is pooling + dense."""
        self._activate()
        return self.graph.head_weights()

    def borrow_keras(self, forward: int, backward: int) -> BorrowedModel:
        """Lend the flat Keras model with logits as its output; the stated passes are counted."""
        self._count(forward=forward, backward=backward)
        return BorrowedModel(self._flat_model, self.default_layer)

    @cached_property
    def _flat_model(self) -> Any:
        self._activate()
        return lent_copy(self.graph)

    def _why_not(self, need: Need) -> str:
        if need in OF_MAPS:
            return "the model has no convolutional layer, so it has no feature maps"
        return super()._why_not(need)

    # ------------------------------------------------------------ primitives

    def _scores(self, images: np.ndarray) -> np.ndarray:
        return self._forward("scores", self.graph.scores, images)

    def _logits(self, images: np.ndarray) -> np.ndarray:
        return self._forward("logits", self.graph.logits, images)

    def _features(self, images: np.ndarray, *, layer: str) -> np.ndarray:
        return self._forward(f"features of {layer}", self.graph.output_of(layer), images)

    def _masked_scores(self, image: np.ndarray, masks: np.ndarray, baseline: np.ndarray) -> np.ndarray:
        function = self._traced(
            "masked scores",
            lambda: functions.masked_forward(self.graph.input, self.graph.scores),
            self._tensor(),
            tf.TensorSpec((None, *self.input_shape[:-1])),
            self._tensor(),
        )
        return _array(function(image, masks, baseline))

    def _input_gradients(self, images: np.ndarray, targets: np.ndarray) -> np.ndarray:
        def build() -> functions.Function:
            return functions.gradient(self.graph.input, self.graph.logits)

        function = self._traced("input gradients", build, *self._images_and_targets())
        return _array(function(images, targets.astype(np.int32)))

    def _feature_gradients(
        self, images: np.ndarray, targets: np.ndarray, *, layer: str
    ) -> tuple[np.ndarray, np.ndarray]:
        def build() -> functions.Function:
            maps = self.graph.output_of(layer)
            return functions.inner_gradient(self.graph.input, maps, self.graph.logits)

        function = self._traced(f"feature gradients of {layer}", build, *self._images_and_targets())
        maps, gradients = function(images, targets.astype(np.int32))
        return _array(maps), _array(gradients)

    def _feature_shape(self, layer: str) -> tuple[int, ...]:
        return tuple(self.graph.output_of(layer).shape[1:])

    # ------------------------------------------------------------ traced functions

    def _forward(self, name: str, tensor: Any, images: np.ndarray) -> np.ndarray:
        def build() -> functions.Function:
            return functions.forward(self.graph.input, tensor)

        return _array(self._traced(name, build, self._tensor(None))(images))

    def _traced(
        self, name: str, build: Callable[[], functions.Function], *signature: Any
    ) -> Callable[..., Any]:
        """Trace each function once, for any number of images, so that no batch needs padding."""
        self._activate()
        if name not in self._compiled:
            self._compiled[name] = tf.function(build(), input_signature=signature)
        return self._compiled[name]

    def _tensor(self, *lead: None) -> Any:
        return tf.TensorSpec((*lead, *self.input_shape), tf.float32)

    def _images_and_targets(self) -> tuple[Any, Any]:
        return self._tensor(None), tf.TensorSpec((None,), tf.int32)


def _array(tensor: Any) -> np.ndarray:
    array: np.ndarray = tensor.numpy()
    return array
