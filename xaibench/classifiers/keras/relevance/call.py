"""One node with the values that went through it."""

from dataclasses import dataclass
from typing import Any

from xaibench.classifiers.keras.relevance.network import Network
from xaibench.classifiers.keras.relevance.nodes import Node


@dataclass(frozen=True)
class Call:
    """A node, its inputs and its output for a batch of images."""

    node: Any
    inputs: tuple[Any, ...]
    output: Any
    nonnegative: bool
    """Whether no input can be below 0."""
    rectified: bool
    """Whether only ReLUs see the output, so that no relevance reaches what is below 0."""
    box: Any = None
    """Smallest and largest values `(low, high)` that the inputs could have, where they are pixels; else None."""
    reference: Any = None
    """The same call for the baseline; None for rules that compare with none."""

    def product(self, x: Any, kernel: Any) -> Any:
        """Weighted sums of the node without its bias."""
        return self.node.product(x, kernel)


def call(network: Network, node: Node, values: dict[int, Any]) -> Call:
    """Compute a node from the values of its sources, by the ids of their symbolic tensors; its own are added."""
    inputs = tuple(values[id(source)] for source in node.sources)
    values[id(node.target)] = output = node.forward(*inputs)
    nonnegative = all(id(source) in network.nonnegative for source in node.sources)
    return Call(node, inputs, output, nonnegative, id(node.target) in network.rectified)
