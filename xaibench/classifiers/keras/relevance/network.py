"""Takes a Keras classifier apart for backward rules."""

from typing import Any

import tensorflow as tf

from xaibench.classifiers.keras.activations import keeps_values, kind
from xaibench.classifiers.keras.flat import Step
from xaibench.classifiers.keras.graph import Graph
from xaibench.classifiers.keras.relevance.building import fold, nodes_of
from xaibench.classifiers.keras.relevance.tensors import TensorFlowTensors
from xaibench.classifiers.relevance.network import Network
from xaibench.classifiers.relevance.nodes import Convolution, Dense, Node

OF_SINGLE_PIXELS = frozenset(
    {
        *("LayerNormalization", "BatchNormalization", "Normalization", "Rescaling", "Cast"),
        *("Add", "Subtract", "Multiply", "TrueDivide", "Divide"),
    }
)
"""Layers and operations (of one tensor and constants) that give each pixel a new value in its place."""


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
        TensorFlowTensors(),
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
