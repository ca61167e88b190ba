"""The named rules that have a meaning for one model."""

from functools import cached_property

from xaibench.classifiers.keras.graph import Function, Graph
from xaibench.classifiers.keras.relevance.backward import backward
from xaibench.classifiers.keras.relevance.network import Network, network_of
from xaibench.classifiers.keras.relevance.rules import RULES, Carries


class BackwardRules:
    """Backward rules on the graph of a model, which is taken apart when the first of them is asked for."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    @cached_property
    def _network(self) -> Network:
        return network_of(self._graph)

    @cached_property
    def names(self) -> frozenset[str]:
        """Rules that have a meaning for every layer of the model."""
        return frozenset(rule for rule in RULES if not self.refusal(rule))

    def refusal(self, rule: str) -> str:
        """One sentence for a known rule that has no meaning for the model; else empty."""
        reason = RULES[rule].refusal(self._network) if rule in RULES else ""
        return f"{rule} has no meaning here: {reason}" if reason else ""

    @property
    def refusals(self) -> str:
        """Why each rule that has no meaning has none."""
        return "; ".join(filter(None, map(self.refusal, RULES)))

    def compares(self, rule: str) -> bool:
        """Tell whether a rule compares the image with a baseline."""
        return RULES[rule].carries is Carries.MULTIPLIER

    def function(self, rule: str) -> Function:
        """Function of images, targets and, for rules that compare, a baseline, to be traced."""
        return backward(self._network, RULES[rule])
