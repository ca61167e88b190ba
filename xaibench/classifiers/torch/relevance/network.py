"""Takes a torch classifier apart for backward rules."""

from collections.abc import Callable, Sequence
from typing import Any

from torch.fx import Node as Operation

from xaibench.api import NotApplicable
from xaibench.classifiers.relevance.network import Network
from xaibench.classifiers.relevance.nodes import Convolution, Dense, Node
from xaibench.classifiers.torch.ending import Ending
from xaibench.classifiers.torch.layers import KEEPS_VALUES, kind
from xaibench.classifiers.torch.program import Program, Weights, shape_of
from xaibench.classifiers.torch.relevance.building import BATCH_NORM, Held, fold, node_of
from xaibench.classifiers.torch.relevance.tensors import TorchTensors

OF_SINGLE_PIXELS = KEEPS_VALUES | {
    BATCH_NORM,
    "layer_norm",
    "group_norm",
    "instance_norm",
    "add",
    "sub",
    "mul",
    "div",
}
"""Operations (of one tensor and constants) that give each pixel a new value in its place."""


def network_of(program: Program, ending: Ending, weights: Callable[[], Weights]) -> Network:
    """Take a classifier apart; an operation that no rule knows becomes a node that only gradients pass.

    `weights` gives those of the classifier that asks.
    """
    part = program.between(program.image, [ending.raw])
    operations = [each for each in part.nodes if each not in part.batch_sizes]
    before = preprocessing(program, operations)
    entry = before[-1] if before else program.image
    preprocess = program.between(program.image, [entry])

    def held(operation: Operation, images: int = 0) -> Any:
        return images if operation in part.batch_sizes else weights()[program.weights[operation]].float()

    nodes: list[Node] = []
    for operation in operations[len(before) :]:
        _append(nodes, operation, operations, entry, held)
    return Network(
        TorchTensors(),
        lambda images: preprocess(weights(), images)[0].float(),
        entry,
        tuple(nodes),
        ending.raw,
        ending.logits,
        not ending.reading.probabilities,
    )


def preprocessing(program: Program, operations: Sequence[Operation]) -> list[Operation]:
    """Operations from the image on, as long as each is the only one that uses its input and acts on single pixels."""
    found: list[Operation] = []
    tensor = program.image
    while True:
        users = [each for each in operations if tensor in each.all_input_nodes]
        if len(users) != 1 or not _acts_on_single_pixels(users[0], tensor, program):
            return found
        found.append(users[0])
        tensor = users[0]


def _acts_on_single_pixels(operation: Operation, tensor: Operation, program: Program) -> bool:
    others = set(operation.all_input_nodes) - {tensor} - set(program.weights)
    return kind(operation) in OF_SINGLE_PIXELS and not others and shape_of(operation) == shape_of(tensor)


def _append(
    nodes: list[Node], operation: Operation, operations: Sequence[Operation], entry: Operation, held: Held
) -> None:
    """Add the node of an operation; a batch norm goes into the weighted sums that only it uses."""
    if kind(operation) == BATCH_NORM:
        source = operation.args[0]
        users = [each for each in operations if source in each.all_input_nodes]
        last = next((node for node in nodes if node.target is source), None)
        if len(users) == 1 and isinstance(last, Convolution | Dense) and "transpose" not in kind(source):
            nodes[nodes.index(last)] = fold(last, operation, held)
            return
    known = {node.target for node in nodes}
    inputs = [each for each in operation.all_input_nodes if each in known or each is entry]
    if not inputs or not shape_of(operation):
        raise NotApplicable(f"operation {operation.name!r} is no function of tensors that gives one tensor")
    nodes.append(node_of(operation, inputs, held))
