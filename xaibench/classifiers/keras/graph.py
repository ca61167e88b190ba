"""The graph of a Keras classifier: its steps, its ending, and the layers that make feature maps."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import keras
import numpy as np

from xaibench.api import NotApplicable, XaibenchError
from xaibench.classifiers.keras.acceptance import check
from xaibench.classifiers.keras.ending import Ending, read_ending
from xaibench.classifiers.keras.flat import FlatModel, Step, lay_flat
from xaibench.classifiers.keras.probing import probed

Function = Callable[..., Any]
LAYERS = keras.layers
CONVOLUTIONS = (
    *(LAYERS.Conv2D, LAYERS.DepthwiseConv2D, LAYERS.SeparableConv2D, LAYERS.Conv2DTranspose),
    *(LAYERS.Conv3D, LAYERS.Conv3DTranspose),
)
# Layers that only thin out or shift maps: the block they follow ends before them.
NOT_A_BLOCK_END = (
    *(LAYERS.MaxPooling2D, LAYERS.AveragePooling2D, LAYERS.GlobalAveragePooling2D, LAYERS.GlobalMaxPooling2D),
    *(LAYERS.MaxPooling3D, LAYERS.AveragePooling3D, LAYERS.GlobalAveragePooling3D, LAYERS.GlobalMaxPooling3D),
    *(LAYERS.Dropout, LAYERS.SpatialDropout2D, LAYERS.SpatialDropout3D),
)
POOLED_TO_ONE = (LAYERS.GlobalAveragePooling2D, LAYERS.GlobalAveragePooling3D)
PASS_THROUGH = (LAYERS.Dropout, LAYERS.Identity)


@dataclass(frozen=True)
class Graph:
    """A classifier as one flat chain of steps, from its image to its scores and logits."""

    flat: FlatModel
    ending: Ending

    @property
    def image(self) -> Any:
        """Symbolic images `[n *space c]`."""
        return self.flat.image

    @property
    def steps(self) -> tuple[Step, ...]:
        """Calls of layers in their order."""
        return self.flat.steps

    @cached_property
    def _to_raw(self) -> FlatModel:
        """The model with the step that its logits are made from."""
        stripped = self.ending.stripped
        return replace(self.flat, steps=(*self.steps, stripped)) if stripped else self.flat

    def steps_to_the_end(self) -> list[Step]:
        """Calls of layers that the logits are made from, the last one without its activation."""
        return self._to_raw.steps_between(self.image, [self.ending.raw])

    def inner(self, *tensors: Any) -> Function:
        """Function from images to the values of symbolic tensors."""
        return self.flat.between(self.image, tensors)

    def inner_and_logits(self, *tensors: Any) -> Function:
        """Function from images to the values of symbolic tensors and the logits."""
        part = self._to_raw.between(self.image, [*tensors, self.ending.raw])

        def run(images: Any) -> list[Any]:
            *found, raw = part(images)
            return [*found, self.ending.logits(raw)]

        return run

    def logits_from(self, start: Any) -> Function:
        """Function from the values of a symbolic tensor to the logits.

        Raises ValueError where the logits depend on other tensors beside it.
        """
        part = self._to_raw.between(start, [self.ending.raw])
        return lambda values: self.ending.logits(part(values)[0])

    def scores(self) -> Function:
        """Function from images to scores."""
        part = self._to_raw.between(self.image, [self.ending.raw])
        return lambda images: self.ending.scores(part(images)[0])

    def output_of(self, layer: str) -> Any:
        """Symbolic output of a layer. Raises XaibenchError for an unknown name, with the known ones."""
        maps = {step.name: step.output for step in self.steps if is_map(step.output)}
        others = {step.name: step.output.shape for step in self.steps if step.name not in maps}
        if layer in others:
            raise XaibenchError(
                f"Layer {layer!r} puts out {others[layer]}, not feature maps; name a convolutional layer."
            )
        if layer not in maps:
            raise XaibenchError(
                f"The model has no layer {layer!r}; its last feature layers are {list(maps)[-8:]}."
            )
        return maps[layer]

    def has_maps(self) -> bool:
        """Tell whether there is a convolutional layer whose maps are larger than one pixel."""
        return any(isinstance(s.layer, CONVOLUTIONS) and is_map(s.output) for s in self.steps)

    def default_layer(self) -> str:
        """Name of the last convolutional block's end: after batch norm, addition and activation.

        Raises NotApplicable for a model without a convolution.
        """
        if not self.has_maps():
            raise NotApplicable("the model has no convolutional layer, so it has no feature maps")
        ends = [s.name for s in self.steps if is_map(s.output) and not isinstance(s.layer, NOT_A_BLOCK_END)]
        return ends[-1]

    def head_weights(self) -> np.ndarray | None:
        """Weights `[maps k]` if the head is pooling of the default layer and one dense layer, else None."""
        dense = next((s for s in reversed(self.steps) if isinstance(s.layer, keras.layers.Dense)), None)
        if dense is None or not self._makes_the_logits(dense):
            return None
        below = self.flat.producer(dense.input)
        while below is not None and isinstance(below.layer, PASS_THROUGH):
            below = self.flat.producer(below.input)
        if below is None or not isinstance(below.layer, POOLED_TO_ONE):
            return None
        if not self.has_maps() or below.input is not self.output_of(self.default_layer()):
            return None
        kernel = keras.ops.convert_to_numpy(dense.layer.kernel).astype(np.float32)
        return np.concatenate([-kernel / 2, kernel / 2], axis=1) if kernel.shape[1] == 1 else kernel

    def _makes_the_logits(self, dense: Step) -> bool:
        stripped = self.ending.stripped
        return dense.output is self.ending.raw or (
            stripped is not None and dense.layer is stripped.layer.layer
        )


def is_map(tensor: Any) -> bool:
    """Tell whether a symbolic tensor is `[n *space maps]` with more than one pixel along each axis."""
    shape = getattr(tensor, "shape", ())
    return len(shape) in (4, 5) and None not in shape[1:] and min(shape[1:-1]) > 1


def open_graph(model: Any) -> Graph:
    """Lay nested models flat and find the logits.

    Raises XaibenchError in one sentence for a model that is no image classifier.
    """
    check(model)
    flat = lay_flat(model)
    shape = tuple(flat.image.shape[1:])
    return Graph(flat, read_ending(flat, lambda: probed(model, shape)))
