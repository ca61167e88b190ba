"""An exported program as a flat graph of operations, and the parts of it that are run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch.fx import Node
from torch.fx.node import map_arg

Weights = Mapping[str, torch.Tensor]
SIZE_OF = torch.ops.aten.sym_size.int


@dataclass(frozen=True, eq=False)
class Program:
    """Operations in their order, from the images to the output; it holds no weights itself."""

    nodes: tuple[Node, ...]
    image: Node
    """Stands for images `[n c *space]`."""
    output: Node
    weights: Mapping[Node, str]
    """Names of the weights, buffers and constants, by what stands for them in the graph."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one image with its channels last."""
        channels, *space = shape_of(self.image)[1:]
        return (*map(_known, space), _known(channels))

    @property
    def dtype(self) -> torch.dtype:
        """Type of the images' values."""
        dtype: torch.dtype = self.image.meta["val"].dtype
        return dtype

    @property
    def fixed_batch(self) -> int | None:
        """Number of images that the program takes at a time, if it takes no other."""
        return shape_of(self.image)[0]

    def between(self, start: Node, ends: Sequence[Node]) -> "Part":
        """Part from the values of one node to those of others.

        Raises ValueError where an end does not depend on the start alone.
        """
        wanted = set(ends) - {start}
        needed: list[Node] = []
        for node in reversed(self.nodes):
            if node in wanted and node is not start:
                needed.insert(0, node)
                wanted |= set() if self._is_batch_size(node) else set(node.all_input_nodes)
        open_ends = wanted - set(needed) - {start} - set(self.weights)
        if open_ends:
            raise ValueError("what comes out does not depend on the given node alone")
        sizes = frozenset(filter(self._is_batch_size, needed))
        return Part(
            tuple(needed), start, tuple(ends), {n: self.weights[n] for n in wanted & set(self.weights)}, sizes
        )

    def _is_batch_size(self, node: Node) -> bool:
        """Tell whether a node reads the number of images, which is known wherever a part starts."""
        batch = self.image.meta["val"].shape[0]
        if node.target is not SIZE_OF or isinstance(batch, int):
            return False
        size = node.meta.get("val")
        return isinstance(size, torch.SymInt) and size.node.expr == batch.node.expr


@dataclass(frozen=True, eq=False)
class Part:
    """Operations from one node to others."""

    nodes: tuple[Node, ...]
    start: Node
    ends: tuple[Node, ...]
    weights: Mapping[Node, str]
    batch_sizes: frozenset[Node]

    def __call__(self, weights: Weights, value: torch.Tensor, leaf: Node | None = None) -> list[torch.Tensor]:
        """Values of the ends; gradients are taken with respect to `leaf`, if one is given."""
        values: dict[Node, Any] = {node: weights[name] for node, name in self.weights.items()}
        values[self.start] = value
        for node, dead in zip(self.nodes, self._dead, strict=True):
            if node in self.batch_sizes:
                values[node] = len(value)
                continue
            args, kwargs = map_arg((node.args, node.kwargs), values.__getitem__)
            made = node.target(*args, **kwargs)
            values[node] = made.detach().requires_grad_() if node is leaf else made
            for spent in dead:
                del values[spent]
        return [values[end] for end in self.ends]

    @cached_property
    def _dead(self) -> list[list[Node]]:
        """Nodes whose values nobody needs any more, for each operation: memory is used again."""
        kept = {*self.ends, *self.weights}
        dead: list[list[Node]] = []
        for node in reversed(self.nodes):
            used = [] if node in self.batch_sizes else node.all_input_nodes
            dead.insert(0, [each for each in used if each not in kept])
            kept |= set(used)
        return dead


def shape_of(node: Node) -> tuple[int | None, ...]:
    """Shape of what a node puts out; None where it follows the number of images; empty for what is no tensor."""
    value = node.meta.get("val")
    if not isinstance(value, torch.Tensor):
        return ()
    return tuple(size if isinstance(size, int) else None for size in value.shape)


def _known(size: int | None) -> int:
    if size is None:
        raise ValueError("the size of the images is not fixed")
    return size
