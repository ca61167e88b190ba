"""Reads the graph of a Keras classifier: nested models opened, logits, last convolutional block, pooled head."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np

from xaibench.api import NotApplicable, XaibenchError

CONVOLUTIONS = (
    keras.layers.Conv2D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
    keras.layers.Conv2DTranspose,
)
# Layers that only thin out or shift maps: the block they follow ends before them.
NOT_A_BLOCK_END = (
    keras.layers.MaxPooling2D,
    keras.layers.AveragePooling2D,
    keras.layers.GlobalAveragePooling2D,
    keras.layers.GlobalMaxPooling2D,
    keras.layers.Dropout,
    keras.layers.SpatialDropout2D,
)
SQUASHING = (keras.activations.softmax, keras.activations.sigmoid)
PASS_THROUGH = (keras.layers.Dropout, keras.layers.Identity)


@dataclass(frozen=True)
class Step:
    """One layer of the opened graph with the symbolic tensors it connects."""

    layer: Any
    input: Any
    output: Any


@dataclass(frozen=True)
class Graph:
    """A classifier as one flat chain of steps, from its input to its scores and logits."""

    input: Any
    scores: Any
    logits: Any
    steps: tuple[Step, ...]
    stripped: Any = None
    """The last dense layer, if its logits are its weighted sums without its activation."""

    def output_of(self, layer: str) -> Any:
        """Symbolic output of a layer. Raises XaibenchError for an unknown name, with the known ones."""
        outputs = {step.layer.name: step.output for step in self.steps}
        if layer not in outputs:
            maps = [step.layer.name for step in self.steps if is_map(step.output)]
            raise XaibenchError(f"The model has no layer {layer!r}; its last feature layers are {maps[-8:]}.")
        if not is_map(outputs[layer]):
            raise XaibenchError(
                f"Layer {layer!r} puts out {outputs[layer].shape}, not feature maps; name a convolutional layer."
            )
        return outputs[layer]

    def has_maps(self) -> bool:
        """Tell whether there is a convolutional layer whose maps are larger than one pixel."""
        return any(isinstance(s.layer, CONVOLUTIONS) and is_map(s.output) for s in self.steps)

    def default_layer(self) -> str:
        """Name of the last convolutional block's end: after batch norm, addition and activation.

        Raises NotApplicable for a model without a convolution.
        """
        if not self.has_maps():
            raise NotApplicable("the model has no convolutional layer, so it has no feature maps")
        ends = [
            s.layer.name for s in self.steps if is_map(s.output) and not isinstance(s.layer, NOT_A_BLOCK_END)
        ]
        return str(ends[-1])

    def head_weights(self) -> np.ndarray | None:
        """Weights `[maps k]` if the head is pooling of the default layer and one dense layer, else None."""
        dense = next((s for s in reversed(self.steps) if isinstance(s.layer, keras.layers.Dense)), None)
        if dense is None:
            return None
        source = {id(step.output): step for step in self.steps}
        below = source.get(id(dense.input))
        while below is not None and isinstance(below.layer, PASS_THROUGH):
            below = source.get(id(below.input))
        if below is None or not isinstance(below.layer, keras.layers.GlobalAveragePooling2D):
            return None
        if not self.has_maps() or below.input is not self.output_of(self.default_layer()):
            return None
        kernel = keras.ops.convert_to_numpy(dense.layer.kernel).astype(np.float32)
        return np.concatenate([-kernel / 2, kernel / 2], axis=1) if kernel.shape[1] == 1 else kernel


def is_map(tensor: Any) -> bool:
    """Tell whether a symbolic tensor is `[n h w maps]` with more than one pixel."""
    shape = getattr(tensor, "shape", ())
    return len(shape) == 4 and None not in shape[1:] and min(shape[1:3]) > 1


def open_graph(model: Any) -> Graph:
    """Lay nested models flat and find the logits.

    Raises XaibenchError for a model that is no image classifier, or whose layers cannot be seen.
    """
    if not isinstance(model, keras.Function | keras.Sequential):
        raise XaibenchError(
            f"{type(model).__name__} is a subclassed Keras model, whose layers cannot be seen; build it with "
            f"the functional API or as keras.Sequential."
        )
    steps: list[Step] = []
    image = keras.Input(model.input_shape[1:])
    output = _through(model, image, steps)
    last = steps[-1]
    stripped = last.layer if _is_squashing_dense(last.layer) else None
    logits = two_logits(weighted_sums(stripped, last.input) if stripped else _before_activation(output, last))
    scores = keras.layers.Softmax(name="xaibench_scores")(logits)
    return Graph(image, scores, logits, tuple(steps), stripped)


def _through(layer: Any, tensor: Any, steps: list[Step]) -> Any:
    """Apply a model layer by layer, writing down each step, however deeply models are nested."""
    if isinstance(layer, keras.Sequential):
        for inner in layer.layers:
            tensor = _through(inner, tensor, steps)
        return tensor
    if isinstance(layer, keras.Function):
        keras.models.clone_model(
            layer,
            input_tensors=tensor,
            clone_function=lambda inner: inner,  # the same layers and weights on new tensors
            call_function=partial(_call, steps),
        )
        # The clone itself is cut off from a tensor that is no Input; the step made last is the model's output.
        return steps[-1].output
    output = layer(tensor)
    steps.append(Step(layer, tensor, output))
    return output


def _call(steps: list[Step], layer: Any, *args: Any, **kwargs: Any) -> Any:
    if isinstance(layer, keras.Function | keras.Sequential):
        return _through(layer, args[0], steps)
    output = layer(*args, **kwargs)
    steps.append(Step(layer, args[0] if args else None, output))
    return output


def _before_activation(output: Any, last: Step) -> Any:
    """Return the tensor that the final softmax or sigmoid is applied to; the output itself if there is none."""
    if isinstance(last.layer, keras.layers.Softmax):
        return last.input
    activation = getattr(last.layer, "activation", None)
    if activation not in SQUASHING:
        return output
    if isinstance(last.layer, keras.layers.Activation):
        return last.input
    raise XaibenchError(
        f"The model ends in {type(last.layer).__name__} with {activation.__name__}; end it in Dense, or put "
        f"the activation in a layer of its own, so that its logits can be found."
    )


# What is added to the graph is named here: Keras names its own operations `add`, `softmax` ..., which a model's
# layers may be called as well, and then refuses the graph.


def _is_squashing_dense(layer: Any) -> bool:
    return isinstance(layer, keras.layers.Dense) and layer.activation in SQUASHING


def weighted_sums(dense: Any, inputs: Any) -> Any:
    """Output of a dense layer without its activation, by the layer's own variables."""
    sums = keras.ops.matmul(inputs, dense.kernel)
    return sums if dense.bias is None else keras.ops.add(sums, dense.bias)


def two_logits(logits: Any) -> Any:
    """Read one sigmoid unit z as the two logits -z/2 and z/2, whose softmax is (1 - sigmoid z, sigmoid z)."""
    if len(logits.shape) != 2:
        raise XaibenchError(
            f"The model puts out {logits.shape}; a classifier puts out one row of class scores."
        )
    if logits.shape[1] != 1:
        return logits
    against = keras.layers.Rescaling(-0.5, name="xaibench_against")(logits)
    in_favour = keras.layers.Rescaling(0.5, name="xaibench_in_favour")(logits)
    return keras.layers.Concatenate(name="xaibench_two_logits")([against, in_favour])
