"""One node with the values that went through it."""

from dataclasses import dataclass
from typing import Any

from xaibench.classifiers.relevance.network import Network
from xaibench.classifiers.relevance.nodes import Node
from xaibench.classifiers.relevance.tensors import Tensors


@dataclass(frozen=True)
class Call:
    """A node, its inputs and its output for a batch of images."""

    network: Network
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

    @property
    def tensors(self) -> Tensors:
        """Functions of the tensors that went through."""
        return self.network.tensors

    def negative(self, values: Any) -> Any:
        """Values below 0, and 0 elsewhere."""
        return -self.tensors.positive(-values)

    def product(self, x: Any, kernel: Any) -> Any:
        """Weighted sums of the node without its bias."""
        return self.node.product(x, kernel)


def call(network: Network, node: Node, values: dict[int, Any]) -> Call:
    """Compute a node from the values of its sources, by the ids of their symbolic tensors; its own are added."""
    inputs = tuple(values[id(source)] for source in node.sources)
    values[id(node.target)] = output = node.forward(*inputs)
    nonnegative = all(id(source) in network.nonnegative for source in node.sources)
    return Call(network, node, inputs, output, nonnegative, id(node.target) in network.rectified)
