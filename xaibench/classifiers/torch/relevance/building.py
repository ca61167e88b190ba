"""Operations of a program as nodes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch.fx import Node as Operation
from torch.fx.node import map_arg

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
from xaibench.classifiers.torch.layers import KEEPS_VALUES, is_convolution, kind
from xaibench.classifiers.torch.program import shape_of

BATCH_NORM = "batch_norm"
RELUS = frozenset({"relu", "relu6", "hardtanh"})
MAXIMA = frozenset(f"{name}max_pool{n}d" for name in ("", "adaptive_") for n in (2, 3))
FIXED_SUMS = frozenset(f"{name}avg_pool{n}d" for name in ("", "adaptive_") for n in (2, 3)) | {"mean"}
MOVES = KEEPS_VALUES | {
    "cat",
    "permute",
    "transpose",
    "pad",
    "constant_pad_nd",
    "slice",
    "select",
    "flip",
    "squeeze",
}
Held = Callable[..., Any]
"""Value of a weight; or, where the number of images is given too, of what is no value of the network."""
Given = dict[str, Any]


def node_of(operation: Operation, inputs: list[Operation], held: Held) -> Node:
    """An operation on some values as a node; one that no rule knows is passed by gradients alone."""
    name, given = kind(operation), arguments(operation)
    if name in WEIGHTED or is_convolution(operation):
        if len(inputs) == 1 and given.get("weight") is not inputs[0]:
            return WEIGHTED.get(name, _convolution)(operation, given, held)
        return _called(Opaque, operation, inputs, held)
    if name == "add" and _is_plain_sum(operation, inputs):
        return _called(FixedSum, operation, inputs, held)
    if name in RELUS and (name != "hardtanh" or given["min_val"] == 0):
        return _called(Relu, operation, inputs, held)
    for known, made in ((FIXED_SUMS, FixedSum), (MAXIMA, Maximum), (MOVES, Move)):
        if name in known and (name != "constant_pad_nd" or not given.get("value")):
            return _called(made, operation, inputs, held)
    return _called(Opaque, operation, inputs, held)


def arguments(operation: Operation) -> Given:
    """Arguments of an operation by name, the defaults of what is not given among them."""
    if not isinstance(operation.target, torch._ops.OpOverload):
        return {}
    found = {}
    for position, argument in enumerate(operation.target._schema.arguments):
        given = operation.args[position] if position < len(operation.args) else argument.default_value
        found[argument.name] = operation.kwargs.get(argument.name, given)
    return found


def fold(node: WeightedSum, operation: Operation, held: Held) -> WeightedSum:
    """Weighted sums with the batch norm that follows them folded in."""

    def weights() -> tuple[Any, Any]:
        kernel, bias = node.weights()
        scale, offset = scale_and_offset(arguments(operation), held)
        of_outputs = node.by_output(scale, kernel)
        return kernel * of_outputs, bias * _over_maps(scale, operation) + _over_maps(offset, operation)

    return replace(node, name=f"{node.name} + {operation.name}", target=operation, weights=weights)


def _is_plain_sum(operation: Operation, inputs: list[Operation]) -> bool:
    """Tell whether an addition is of tensors of the same shape, each counted once or more."""
    shapes = {shape_of(each) for each in inputs}
    return len(operation.args) == 2 and len(shapes) == 1 and set(operation.args) == set(inputs)


def _called(made: type[Calculated], operation: Operation, inputs: list[Operation], held: Held) -> Node:
    """The operation as a function of its tensors, each of them once: an addition may have one twice."""

    def function(*values: Any) -> Any:
        known = dict(zip(inputs, values, strict=True))

        def value(each: Operation) -> Any:
            return known[each] if each in known else held(each, len(values[0]))

        args, kwargs = map_arg((operation.args, operation.kwargs), value)
        return operation.target(*args, **kwargs)

    return made(operation.name, tuple(inputs), operation, function)


# ---------------------------------------------------------------- operations with weights


def _over_maps(values: Any, operation: Operation) -> Any:
    """A value for each channel, in the shape that multiplies `[n c *space]`."""
    return values.reshape(-1, *[1] * (len(shape_of(operation)) - 2))


def _convolution(operation: Operation, given: Given, held: Held) -> WeightedSum:
    first = next(iter(given))  # `input` or `self`
    rest = {name: value for name, value in given.items() if name not in (first, "weight", "bias")}

    def product(x: Any, kernel: Any) -> Any:
        return operation.target(x, kernel, None, **rest)

    def by_output(scale: Any, kernel: Any) -> Any:
        return scale.reshape(-1, *[1] * (kernel.ndim - 1))

    def weights() -> tuple[Any, Any]:
        bias = given["bias"]
        return held(given["weight"]), torch.zeros(1) if bias is None else _over_maps(held(bias), operation)

    return Convolution(operation.name, (given[first],), operation, product, weights, by_output)


def _dense(operation: Operation, given: Given, held: Held) -> WeightedSum:
    def weights() -> tuple[Any, Any]:
        bias = given["bias"]
        return held(given["weight"]), torch.zeros(1) if bias is None else held(bias)

    by_output = lambda scale, kernel: scale[:, None]  # noqa: E731
    return Dense(operation.name, (given["input"],), operation, torch.nn.functional.linear, weights, by_output)


def _batch_norm(operation: Operation, given: Given, held: Held) -> WeightedSum:
    def weights() -> tuple[Any, Any]:
        scale, offset = scale_and_offset(given, held)
        return _over_maps(scale, operation), _over_maps(offset, operation)

    return Scaling(operation.name, (given["input"],), operation, torch.mul, weights)


def scale_and_offset(given: Given, held: Held) -> tuple[Any, Any]:
    """A batch norm at inference as a scale and an offset of each channel."""
    scale = torch.rsqrt(held(given["running_var"]) + given["eps"])
    scale = scale * held(given["weight"]) if given["weight"] is not None else scale
    offset = -held(given["running_mean"]) * scale
    return scale, offset + held(given["bias"]) if given["bias"] is not None else offset


WEIGHTED: dict[str, Callable[[Operation, Given, Held], WeightedSum]] = {
    "linear": _dense,
    BATCH_NORM: _batch_norm,
}
