"""A classifier as backward rules see it: preprocessing of single pixels, then nodes, then the logits."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import tensorflow as tf

from xaibench.classifiers.keras.activations import keeps_values, kind
from xaibench.classifiers.keras.flat import Step
from xaibench.classifiers.keras.graph import Graph
from xaibench.classifiers.keras.relevance.building import fold, nodes_of
from xaibench.classifiers.keras.relevance.nodes import (
    Convolution,
    Dense,
    FixedSum,
    Maximum,
    Move,
    Node,
    Relu,
)

OF_SINGLE_PIXELS = frozenset(
    {
        *("LayerNormalization", "BatchNormalization", "Normalization", "Rescaling", "Cast"),
        *("Add", "Subtract", "Multiply", "TrueDivide", "Divide"),
    }
)
"""Layers and operations (of one tensor and constants) that give each pixel a new value in its place."""


@dataclass(frozen=True)
class Network:
    """Preprocessing, nodes and head of a classifier.

    The relevance of a pixel is that of its preprocessed value, which is what the network sees in its place.
    """

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


def network_of(graph: Graph) -> Network:
    """Take a classifier apart; a layer that no rule knows becomes a node that only gradients pass."""
    steps = graph.steps_to_the_end()
    before = preprocessing(graph.image, steps)
    entry = before[-1].output if before else graph.image
    nodes: list[Node] = []
    for step in steps[len(before) :]:
        _append(nodes, step, steps)
    preprocess = graph.inner(entry)
    ending = graph.ending
    is_linear = not ending.is_read_back
    return Network(
        lambda images: tf.cast(preprocess(images)[0], tf.float32),
        entry,
        tuple(nodes),
        ending.raw,
        ending.logits,
        is_linear,
    )


def preprocessing(image: Any, steps: list[Step]) -> list[Step]:
    """Steps from the image on, as long as each is the only one that uses its input and acts on single pixels."""
    found: list[Step] = []
    tensor = image
    while True:
        users = _users(tensor, steps)
        if len(users) != 1 or not _acts_on_single_pixels(users[0]):
            return found
        found.append(users[0])
        tensor = users[0].output


def _users(tensor: Any, steps: list[Step]) -> list[Step]:
    return [step for step in steps if any(part is tensor for part in step.inputs)]


def _acts_on_single_pixels(step: Step) -> bool:
    acts = kind(step) in OF_SINGLE_PIXELS or keeps_values(step)
    return acts and len(step.inputs) == 1 and tuple(step.output.shape) == tuple(step.input.shape)


def _append(nodes: list[Node], step: Step, steps: list[Step]) -> None:
    """Add the nodes of a step; a batch norm goes into the weighted sums that only it uses."""
    if kind(step) == "BatchNormalization" and len(_users(step.input, steps)) == 1:
        last = next((node for node in nodes if node.target is step.input), None)
        if isinstance(last, Convolution | Dense):
            nodes[nodes.index(last)] = fold(last, step)
            return
    nodes += nodes_of(step)
