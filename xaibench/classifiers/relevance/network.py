"""A classifier as backward rules see it: preprocessing of single pixels, then nodes, then the logits."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from xaibench.classifiers.relevance.nodes import FixedSum, Maximum, Move, Node, Relu
from xaibench.classifiers.relevance.tensors import Tensors


@dataclass(frozen=True)
class Network:
    """Preprocessing, nodes and head of a classifier.

    The relevance of a pixel is that of its preprocessed value, which is what the network sees in its place.
    """

    tensors: Tensors
    """Functions of the tensors that go through it."""
    preprocess: Callable[[Any], Any]
    """From images to what the network sees."""
    entry: Any
    """Symbolic tensor that the network begins with."""
    nodes: tuple[Node, ...]
    """In the order of the forward pass."""
    exit: Any
    """Symbolic tensor that the logits are made from."""
    to_logits: Callable[[Any], Any]
    is_linear_at_the_end: bool
    """Whether the logits are a linear function of what they are made from."""

    @cached_property
    def pixels(self) -> frozenset[int]:
        """Ids of the symbolic tensors that hold nothing but preprocessed pixels, perhaps moved."""
        return self._grown({id(self.entry)}, (Move,))

    @cached_property
    def nonnegative(self) -> frozenset[int]:
        """Ids of the symbolic tensors whose values are never below 0."""
        rectified = {id(node.target) for node in self.nodes if isinstance(node, Relu)}
        return self._grown(rectified, (Move, Maximum, FixedSum))

    @cached_property
    def rectified(self) -> frozenset[int]:
        """Ids of the symbolic tensors that go into ReLUs and nothing else."""
        used = [(id(source), isinstance(node, Relu)) for node in self.nodes for source in node.sources]
        used.append((id(self.exit), False))
        return frozenset(number for number, _ in used) - {number for number, by_relu in used if not by_relu}

    def _grown(self, found: set[int], kinds: tuple[type[Node], ...]) -> frozenset[int]:
        """Ids, and those of what nodes of some kinds make of nothing else."""
        for node in self.nodes:
            if isinstance(node, kinds) and all(id(source) in found for source in node.sources):
                found.add(id(node.target))
        return frozenset(found)
