"""The one place that calls Keras, cuts images into batches, and counts and times model passes."""

import hashlib
import json
import os
import time
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # must be set before TensorFlow is imported

import itertools

import keras
import numpy as np
import tensorflow as tf
from jaxtyping import Float32, Int

from xaibench.api import (
    AnyImages,
    AnyScores,
    BorrowedModel,
    Features,
    Image,
    Masks,
    Need,
    NotApplicable,
    Passes,
    Scores,
    XaibenchError,
)
from xaibench.classifiers.keras_graph import Graph, open_graph

IMAGE, IMAGES, MASKS, TARGETS = "h w c", "n h w c", "m h w", "n"  # arguments of the traced functions
REMEMBERED = 4096  # score vectors kept by content: a few kilobytes each at most


class KerasClassifier:
    """Wraps a Keras image classifier: every public function takes any leading axes (see types.Classifier)."""

    def __init__(
        self, model: Any, input_range: tuple[float, float] = (0.0, 1.0), batch_size: int | None = None
    ) -> None:
        shape = getattr(model, "input_shape", None)
        if not isinstance(shape, tuple) or len(shape) != 4 or None in shape[1:]:
            raise XaibenchError(
                f"The model's input is {shape}; a classifier of images [h w c] of one size is needed."
            )
        self.model = model
        self.input_range = input_range
        self.input_shape: tuple[int, int, int] = tuple(shape[1:])
        self.batch_size = batch_size or default_batch_size(self.input_shape)
        self.passes = Passes()
        self._remembered: OrderedDict[bytes, np.ndarray] = OrderedDict()
        self._compiled: dict[str, Callable[..., Any]] = {}
        self._seat: Seat | None = None
        self._weights: list[np.ndarray] = []

    def sibling(self, weights: Sequence[np.ndarray]) -> "KerasClassifier":
        """Return a classifier of the same layers with other weights, such as another fold's.

        The two share the traced functions and take turns with their weights, so nothing is traced again.
        """
        if self._seat is None:
            self._seat = Seat(self.model)
            self._weights = self._seat.held
        other = KerasClassifier(self.model, self.input_range, self.batch_size)
        other.graph = self.graph
        other._compiled = self._compiled
        other._seat = self._seat
        other._weights = shared(weights, self._weights)
        return other

    def _sit(self) -> None:
        """Put this classifier's own weights into the model, if siblings share it."""
        if self._seat and self._seat.take(self._weights):
            self.graph.refresh()

    # ------------------------------------------------------------ what the model is

    @cached_property
    def graph(self) -> Graph:
        """The model laid flat."""
        return open_graph(self.model)

    @cached_property
    def n_classes(self) -> int:
        """Number of classes; a sigmoid unit counts as two."""
        return int(self.graph.logits.shape[1])

    @cached_property
    def default_layer(self) -> str:
        """Name of the layer that CAMs use; raises NotApplicable where there is none."""
        return self.graph.default_layer()

    @cached_property
    def offers(self) -> frozenset[Need]:
        """What this model can be asked for."""
        always = {Need.SCORES, Need.INPUT_GRADIENTS, Need.REGION}
        of_layers = {Need.FEATURES, Need.FEATURE_GRADIENTS, Need.KERAS}
        return frozenset(always | of_layers if self.graph.has_maps() else always)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of layers and weights; the same for the same model however it was stored or named."""
        self._sit()
        digest = hashlib.sha256()
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
        self._sit()
        return self.graph.head_weights()

    # ------------------------------------------------------------ what methods ask

    def scores(self, images: AnyImages) -> AnyScores:
        """Class probabilities."""
        return self._forward("scores", self.graph.scores, images)

    def logits(self, images: AnyImages) -> AnyScores:
        """Class logits."""
        return self._forward("logits", self.graph.logits, images)

    def remembered_scores(self, image: Image) -> Float32[np.ndarray, "k"]:
        """Class probabilities of one image, predicted once; counted as a pass each time it is asked for."""
        key = hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=16).digest()
        if key in self._remembered:
            self._remembered.move_to_end(key)
            self._count(forward=1)
        else:
            self._remembered[key] = self.scores(image)
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        return self._remembered[key].copy()

    def masked_scores(self, image: Image, masks: Masks, baseline: Image) -> Scores:
        """Class probabilities of `mask * image + (1 - mask) * baseline`, composed inside the traced function."""
        function = self._traced("masked scores", self._build_masked_scores, IMAGE, MASKS, IMAGE)
        image_tensor, baseline_tensor = tf.constant(image), tf.constant(baseline)
        rows = []
        for part in even_parts(len(masks), self.batch_size):
            kept = np.asarray(masks[part], np.float32)
            if kept.shape[1:] != image.shape[:2]:
                raise ValueError(f"masks are {kept.shape[1:]} but the image is {image.shape[:2]}")
            with self._timed(forward=len(kept)):
                rows.append(function(image_tensor, kept, baseline_tensor).numpy())
        return _finite(np.concatenate(rows))

    def input_gradients(self, images: AnyImages, targets: Int[np.ndarray, "..."]) -> AnyImages:
        """Gradient of the target's logit with respect to the input."""
        function = self._traced("input gradients", self._build_input_gradients, IMAGES, TARGETS)
        return self._backward(function, images, targets)[0]

    def features(self, images: AnyImages, layer: str | None = None) -> Features:
        """Feature maps of a layer."""
        layer = layer or self.default_layer
        return self._forward(f"features of {layer}", self.graph.output_of(layer), images)

    def feature_gradients(
        self, images: AnyImages, targets: Int[np.ndarray, "..."], layer: str | None = None
    ) -> tuple[Features, Features]:
        """Feature maps of a layer, and the gradient of the target's logit with respect to them."""
        layer = layer or self.default_layer
        build = partial(self._build_feature_gradients, layer)
        function = self._traced(f"feature gradients of {layer}", build, IMAGES, TARGETS)
        maps, gradients = self._backward(function, images, targets)
        return maps, gradients

    def borrow_keras(self, forward: int, backward: int) -> BorrowedModel:
        """Lend the flat Keras model with logits as its output; the stated passes are counted."""
        self._count(forward=forward, backward=backward)
        return BorrowedModel(self._flat_model, self.default_layer)

    @cached_property
    def _flat_model(self) -> Any:
        """Copy with layers of its own: libraries ask a layer for its only output, and a shared one has several."""
        try:
            flat = keras.Model(self.graph.input, self.graph.logits)
        except ValueError as error:
            raise NotApplicable(
                "nested parts of the model share layer names, so it cannot be laid flat"
            ) from error
        self._sit()
        copy = keras.models.clone_model(flat)
        copy.set_weights(flat.get_weights())
        return copy

    # ------------------------------------------------------------ traced functions

    def _traced(self, name: str, build: Callable[[], Callable[..., Any]], *axes: str) -> Callable[..., Any]:
        """Trace each function once, for any number of images, so that no batch needs padding."""
        self._sit()
        if name not in self._compiled:
            h, w, c = self.input_shape
            known = {
                IMAGE: tf.TensorSpec((h, w, c), tf.float32),
                IMAGES: tf.TensorSpec((None, h, w, c), tf.float32),
                MASKS: tf.TensorSpec((None, h, w), tf.float32),
                TARGETS: tf.TensorSpec((None,), tf.int32),
            }
            self._compiled[name] = tf.function(build(), input_signature=[known[axis] for axis in axes])
        return self._compiled[name]

    def _build_forward(self, tensor: Any) -> Callable[..., Any]:
        part = keras.Function(self.graph.input, tensor)
        return lambda images: tf.cast(part(images), tf.float32)

    def _build_masked_scores(self) -> Callable[..., Any]:
        score = self._build_forward(self.graph.scores)

        def compute(image: Any, masks: Any, baseline: Any) -> Any:
            kept = masks[..., None]
            return score(kept * image + (1 - kept) * baseline)

        return compute

    def _build_input_gradients(self) -> Callable[..., Any]:
        logits = self._build_forward(self.graph.logits)

        def compute(images: Any, targets: Any) -> list[Any]:
            with tf.GradientTape() as tape:
                tape.watch(images)
                logit = tf.gather(logits(images), targets, axis=1, batch_dims=1)
            return [tape.gradient(logit, images, unconnected_gradients="zero")]

        return compute

    def _build_feature_gradients(self, layer: str) -> Callable[..., Any]:
        part = keras.Function(self.graph.input, [self.graph.output_of(layer), self.graph.logits])

        def compute(images: Any, targets: Any) -> list[Any]:
            with tf.GradientTape() as tape:
                tape.watch(images)
                maps, logits = part(images)
                logit = tf.gather(logits, targets, axis=1, batch_dims=1)
            gradients = tape.gradient(logit, maps, unconnected_gradients="zero")
            return [tf.cast(maps, tf.float32), tf.cast(gradients, tf.float32)]

        return compute

    # ------------------------------------------------------------ batches, counts, time

    def _forward(self, name: str, tensor: Any, images: np.ndarray) -> np.ndarray:
        function = self._traced(name, partial(self._build_forward, tensor), IMAGES)
        flat, lead = self._flattened(images)
        rows = []
        for part in even_parts(len(flat), self.batch_size):
            with self._timed(forward=part.stop - part.start):
                rows.append(function(flat[part]).numpy())
        result = _finite(np.concatenate(rows))
        return result.reshape(*lead, *result.shape[1:])

    def _backward(
        self, function: Callable[..., Any], images: np.ndarray, targets: np.ndarray
    ) -> list[np.ndarray]:
        flat, lead = self._flattened(images)
        flat_targets = np.broadcast_to(targets, lead).reshape(-1).astype(np.int32)
        rows = []
        for part in even_parts(len(flat), self.batch_size):
            count = part.stop - part.start
            with self._timed(forward=count, backward=count):
                rows.append([tensor.numpy() for tensor in function(flat[part], flat_targets[part])])
        joined = [_finite(np.concatenate(arrays)) for arrays in zip(*rows, strict=True)]
        return [array.reshape(*lead, *array.shape[1:]) for array in joined]

    def _flattened(self, images: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
        if images.shape[-3:] != self.input_shape:
            raise ValueError(f"images are {images.shape[-3:]} but the model takes {self.input_shape}")
        return images.reshape(-1, *self.input_shape), images.shape[:-3]

    @contextmanager
    def _timed(self, forward: int, backward: int = 0) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self._count(forward, backward, time.perf_counter() - started)

    def _count(self, forward: int = 0, backward: int = 0, seconds: float = 0.0) -> None:
        done = self.passes
        self.passes = Passes(done.forward + forward, done.backward + backward, done.seconds + seconds)


class Seat:
    """A model that classifiers of the same layers share, and whose weights it holds now."""

    def __init__(self, model: Any) -> None:
        self.variables = model.weights
        self.held = model.get_weights()

    def take(self, weights: list[np.ndarray]) -> bool:
        """Assign the weights that are not there yet, and tell whether there were any.

        Equal ones of siblings are the same object (see `shared`).
        """
        if weights is self.held:
            return False
        for variable, wanted, there in zip(self.variables, weights, self.held, strict=True):
            if wanted is not there:
                variable.assign(wanted)
        self.held = weights
        return True


def shared(weights: Sequence[np.ndarray], known: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Weights with the known object in place of each equal array: a frozen backbone is kept and assigned once."""
    return [
        old if np.array_equal(old, new) else np.asarray(new) for old, new in zip(known, weights, strict=True)
    ]


def default_batch_size(input_shape: tuple[int, int, int]) -> int:
    """Batch size past which neither the compact ResNet (64 at 128 px) nor ResNet50 (16 at 224 px) gains."""
    pixels = input_shape[0] * input_shape[1]
    return int(2 ** np.clip(np.floor(np.log2(64 * 128 * 128 / pixels)), 0, 8))


def even_parts(count: int, at_most: int) -> Iterator[slice]:
    """Cut 0 .. count into the fewest slices of at most that length, as even as can be: 50 by 32 is 25 + 25."""
    parts = -(-count // at_most)
    bounds = [count * i // parts for i in range(parts + 1)] if parts else []
    return (slice(start, stop) for start, stop in itertools.pairwise(bounds))


def load_keras(path: Path) -> Any:
    """Load a `.keras` file in Keras' safe mode.

    Raises XaibenchError for one that is missing, broken or carries code.
    """
    if not path.is_file():
        raise XaibenchError(f"There is no model file {path}; give the path of a .keras file.")
    if path.suffix != ".keras" or not zipfile.is_zipfile(path):
        raise XaibenchError(
            f"{path.name} is no .keras archive; save the model with model.save('name.keras')."
        )
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many types here, and a broken file must still be one sentence
        raise XaibenchError(_why_refused(path, error)) from error


def _why_refused(path: Path, error: Exception) -> str:
    text = str(error)
    if "unsafe" in text or "safe_mode" in text or "lambda" in text.lower():
        return (
            f"{path.name} carries code (a Lambda layer or an unsafe object), which loading would execute; "
            f"it is refused. Rebuild the model from standard layers."
        )
    first = text.strip().splitlines()[0] if text.strip() else type(error).__name__
    return f"{path.name} cannot be loaded: {first[:200]} Save it again with this version of Keras."


def _finite(array: np.ndarray) -> np.ndarray:
    if not np.isfinite(array).all():
        raise FloatingPointError("the model returned NaN or infinite values")
    return array
