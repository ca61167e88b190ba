"""Steps of a Keras model as nodes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import tensorflow as tf

from xaibench.classifiers.keras.activations import activation, kind
from xaibench.classifiers.keras.flat import Step
from xaibench.classifiers.keras.stripping import WithoutActivation
from xaibench.classifiers.relevance.nodes import (
    Calculated,
    Convolution,
    Dense,
    FixedSum,
    Maximum,
    Move,
    Node,
    Opaque,
    Relu,
    Scaling,
    WeightedSum,
)

BOUNDS = {"relu": None, "relu6": 6.0}
FIXED_SUMS = frozenset(
    {"Add", "Average", *(f"{name}AveragePooling{n}D" for name in ("", "Global") for n in (2, 3))}
)
MAXIMA = frozenset(f"{name}MaxPooling{n}D" for name in ("", "Global") for n in (2, 3))
MOVES = frozenset(
    {
        *("Concatenate", "Flatten", "Reshape", "Permute", "Identity", "Squeeze", "ExpandDims", "Flip"),
        *("Dropout", "SpatialDropout2D", "SpatialDropout3D", "ActivityRegularization"),
        *("ZeroPadding2D", "ZeroPadding3D", "Cropping2D", "Cropping3D"),
    }
)


class Place:
    """Stands for a tensor between the parts of one layer."""


def nodes_of(step: Step) -> list[Node]:
    """A step as nodes: a layer with an activation is two, a separable convolution with one is three."""
    name = kind(step)
    if name in WEIGHTED and getattr(step.layer, "axis", -1) in (-1, len(step.output.shape) - 1):
        return _with_activation(step, WEIGHTED[name](step))
    if name in BOUNDS or name in ("ReLU", "Relu", "Relu6", "Activation"):
        return _activation(step)
    for known, made in ((FIXED_SUMS, FixedSum), (MAXIMA, Maximum), (MOVES, Move)):
        if name in known:
            return [_called(made, step)]
    return [_called(Opaque, step)]


def fold(node: WeightedSum, step: Step) -> WeightedSum:
    """Weighted sums with the batch norm that follows them folded in."""

    def weights() -> tuple[Any, Any]:
        kernel, bias = node.weights()
        scale, offset = scale_and_offset(step.layer)
        return kernel * node.by_output(scale, kernel), bias * scale + offset

    return replace(node, name=f"{node.name} + {step.name}", target=step.output, weights=weights)


def _with_activation(step: Step, sums: list[WeightedSum]) -> list[Node]:
    """Weighted sums of a layer, and its activation."""
    name = activation(step)
    if name in (None, "linear"):
        return [*sums]
    if name not in BOUNDS:
        return [_called(Opaque, step)]
    between = Place()
    return [
        *sums[:-1],
        replace(sums[-1], target=between),
        Relu(step.name, (between,), step.output, _rectified(BOUNDS[name])),
    ]


def _activation(step: Step) -> list[Node]:
    name, layer = activation(step), step.layer
    plain = not getattr(layer, "negative_slope", 0) and not getattr(layer, "threshold", 0)
    if name == "linear":
        return [_called(Move, step)]
    if name not in BOUNDS or not plain:
        return [_called(Opaque, step)]
    bound = getattr(layer, "max_value", None)
    function = _rectified(BOUNDS[name] if bound is None else float(bound))
    return [Relu(step.name, (step.input,), step.output, function)]


def _rectified(bound: float | None) -> Callable[[Any], Any]:
    return lambda x: tf.nn.relu(x) if bound is None else tf.minimum(tf.nn.relu(x), bound)


def _called(kind_of_node: type[Calculated], step: Step) -> Node:
    """The step's own layer as a function of its tensors, each of them once: an addition may have one twice."""
    sources = {id(tensor): tensor for tensor in step.inputs}

    def function(*inputs: Any) -> Any:
        output = step.call(dict(zip(sources, inputs, strict=True)))[0]
        return tf.cast(output, tf.float32)  # layers of half precision put out half-precision numbers

    return kind_of_node(step.name, tuple(sources.values()), step.output, function)


# ---------------------------------------------------------------- layers with weights


def _tensor(variable: Any) -> Any:
    return tf.cast(keras.ops.convert_to_tensor(variable), tf.float32)


def _read(kernel: Any, bias: Any) -> Callable[[], tuple[Any, Any]]:
    return lambda: (_tensor(kernel), 0.0 if bias is None else _tensor(bias))


def _convolution(step: Step) -> list[WeightedSum]:
    layer = step.layer
    weights = _read(layer.kernel, layer.bias)
    return [Convolution(step.name, (step.input,), step.output, layer.convolution_op, weights)]


def _depthwise(step: Step) -> list[WeightedSum]:
    layer = step.layer
    product, weights = _each_channel(layer), _read(layer.kernel, layer.bias)
    return [Convolution(step.name, (step.input,), step.output, product, weights, _scale_of_each_channel)]


def _separable(step: Step) -> list[WeightedSum]:
    layer, between = step.layer, Place()
    weights = _read(layer.depthwise_kernel, None)
    depthwise = Convolution(
        step.name, (step.input,), between, _each_channel(layer), weights, _scale_of_each_channel
    )
    pointwise = _read(layer.pointwise_kernel, layer.bias)
    return [depthwise, Convolution(step.name, (between,), step.output, _at_each_pixel, pointwise)]


def _each_channel(layer: Any) -> Callable[[Any, Any], Any]:
    """Depthwise convolution as a layer does it."""
    how = (layer.strides, layer.padding, layer.data_format, layer.dilation_rate)
    return lambda x, kernel: keras.ops.depthwise_conv(x, kernel, *how)


def _at_each_pixel(x: Any, kernel: Any) -> Any:
    return keras.ops.conv(x, kernel)


def _scale_of_each_channel(scale: Any, kernel: Any) -> Any:
    """Output channel c * m + i of a depthwise kernel `[*size c m]` comes from input channel c."""
    return tf.reshape(scale, tf.shape(kernel)[-2:])


def _dense(step: Step) -> list[WeightedSum]:
    layer = step.layer.layer if isinstance(step.layer, WithoutActivation) else step.layer
    weights = _read(layer.kernel, layer.bias)
    return [Dense(step.name, (step.input,), step.output, keras.ops.matmul, weights)]


def _scaled(x: Any, kernel: Any) -> Any:
    return x * kernel


def _batch_norm(step: Step) -> list[WeightedSum]:
    weights = lambda: scale_and_offset(step.layer)  # noqa: E731 - as the others, a function of nothing
    return [Scaling(step.name, (step.input,), step.output, _scaled, weights)]


def _rescaling(step: Step) -> list[WeightedSum]:
    layer = step.layer
    weights = lambda: (tf.constant(layer.scale, tf.float32), tf.constant(layer.offset, tf.float32))  # noqa: E731
    return [Scaling(step.name, (step.input,), step.output, _scaled, weights)]


def scale_and_offset(layer: Any) -> tuple[Any, Any]:
    """A batch norm at inference as a scale and an offset of each channel."""
    scale = tf.math.rsqrt(_tensor(layer.moving_variance) + layer.epsilon)
    scale = scale * _tensor(layer.gamma) if layer.scale else scale
    offset = -_tensor(layer.moving_mean) * scale
    return scale, offset + _tensor(layer.beta) if layer.center else offset


WEIGHTED: dict[str, Callable[[Step], list[WeightedSum]]] = {
    "Conv2D": _convolution,
    "Conv3D": _convolution,
    "DepthwiseConv2D": _depthwise,
    "SeparableConv2D": _separable,
    "Dense": _dense,
    "WithoutActivation": _dense,
    "BatchNormalization": _batch_norm,
    "Rescaling": _rescaling,
}
