"""Layers of a program by name: modules as the model's author named them, and single operations."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from torch.fx import Node

from xaibench.api import NotApplicable, XaibenchError
from xaibench.classifiers.torch.program import Program, Weights, shape_of

NO_CONVOLUTION = "the model has no convolutional layer, so it has no feature maps"
CONVOLUTIONS = frozenset(
    f"{name}{ending}"
    for name in ("conv2d", "conv3d", "conv_transpose2d", "conv_transpose3d")
    for ending in ("", ".input")
) | {"convolution", "_convolution"}
# Operations that only thin out or shift maps: the block they follow ends before them.
NOT_A_BLOCK_END = frozenset(
    {
        *(f"{kind}_pool{n}d" for kind in ("max", "avg", "adaptive_avg", "adaptive_max") for n in (2, 3)),
        *(f"{kind}_pool{n}d_with_indices" for kind in ("max", "adaptive_max") for n in (2, 3)),
        *("_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "dropout", "feature_dropout", "getitem"),
    }
)
KEEPS_VALUES = frozenset(
    {
        *("view", "_unsafe_view", "reshape", "flatten", "squeeze", "unsqueeze", "clone", "alias", "detach"),
        *("contiguous", "dropout", "feature_dropout", "_to_copy", "to", "identity"),
    }
)
"""Operations that give the same values, in the same order, in another shape."""


def kind(node: Node) -> str:
    """Name of a node's operation, such as `conv2d`."""
    if isinstance(node.target, torch._ops.OpOverload):
        return str(node.target._overloadpacket.__name__)
    return str(getattr(node.target, "__name__", node.target))


def is_convolution(node: Node) -> bool:
    """Tell whether a node is a convolution."""
    return kind(node) in CONVOLUTIONS


def is_map(node: Node) -> bool:
    """Tell whether a node puts out `[n maps *space]` with more than one pixel along each axis."""
    shape = shape_of(node)
    return len(shape) in (4, 5) and None not in shape[1:] and min(size or 0 for size in shape[2:]) > 1


def modules_of(node: Node) -> list[tuple[str, str]]:
    """Path and class of each module that a node stands in, from the outermost in; the model itself is none."""
    stack = node.meta.get("nn_module_stack") or {}
    found = (
        (path, each if isinstance(each, str) else f"{each.__module__}.{each.__qualname__}")
        for path, each in stack.values()
    )
    return [(path, each) for path, each in found if path]


def made_from(node: Node) -> Node:
    """Node whose values come out of a node unchanged: what is behind reshapes and dropout."""
    while kind(node) in KEEPS_VALUES and node.args and isinstance(node.args[0], Node):
        node = node.args[0]
    return node


class Layers:
    """What puts out feature maps, by name."""

    def __init__(self, program: Program) -> None:
        tensors = [node for node in program.nodes if shape_of(node)]
        self._by_name = {node.name: node for node in tensors}
        self._by_name |= {path: node for node in tensors for path, _ in modules_of(node)}
        self._convolves = any(is_convolution(node) and is_map(node) for node in tensors)
        self._nodes = tensors

    @property
    def has_maps(self) -> bool:
        """Whether there is a convolution whose maps are larger than one pixel."""
        return self._convolves

    @cached_property
    def default(self) -> str:
        """Name of the last convolutional block's end: after batch norm, addition and activation."""
        if not self._convolves:
            raise NotApplicable(NO_CONVOLUTION)
        ends = [node for node in self._nodes if is_map(node) and kind(node) not in NOT_A_BLOCK_END]
        return self.name_of(ends[-1])

    def name_of(self, node: Node) -> str:
        """Path of the outermost module that ends with a node, or the name of its operation."""
        paths = [path for path, _ in modules_of(node) if self._by_name[path] is node]
        return paths[0] if paths else str(node.name)

    def output_of(self, name: str) -> Node:
        """Node that ends a module or is an operation. Raises XaibenchError for another name, with the known ones."""
        node = self._by_name.get(name)
        if node is None:
            known = [each for each, end in self._by_name.items() if is_map(end)]
            raise XaibenchError(f"The model has no layer {name!r}; its last feature layers are {known[-8:]}.")
        if not is_map(node):
            raise XaibenchError(
                f"Layer {name!r} puts out {shape_of(node)}, not feature maps; name a convolutional one."
            )
        return node


def head_weights(program: Program, layers: Layers, raw: Node, weights: Weights) -> np.ndarray | None:
    """Weights `[maps k]` if the head is pooling of the default layer and one linear layer, else None."""
    linear = made_from(raw)
    if kind(linear) != "linear" or not layers.has_maps:
        return None
    values, kernel = linear.args[:2]
    pooled = made_from(values) if isinstance(values, Node) else linear
    if not _pools_to_one(pooled) or pooled.args[0] is not layers.output_of(layers.default):
        return None
    if kernel not in program.weights:
        return None
    matrix: np.ndarray = weights[program.weights[kernel]].float().numpy().T
    return np.concatenate([-matrix / 2, matrix / 2], axis=1) if matrix.shape[1] == 1 else matrix.copy()


def _pools_to_one(node: Node) -> bool:
    if kind(node) in ("adaptive_avg_pool2d", "adaptive_avg_pool3d"):
        return set(_numbers(node.args[1])) == {1}
    if kind(node) != "mean" or len(node.args) < 2 or not isinstance(node.args[0], Node):
        return False
    rank = len(shape_of(node.args[0]))
    return {axis % rank for axis in _numbers(node.args[1])} == set(range(2, rank))


def _numbers(argument: object) -> Sequence[int]:
    return [part for part in argument if isinstance(part, int)] if isinstance(argument, list | tuple) else []
