"""The named rules that have a meaning for one model."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from xaibench.api import NotApplicable
from xaibench.classifiers.relevance.backward import backward
from xaibench.classifiers.relevance.network import Network
from xaibench.classifiers.relevance.rules import RULES, Carries


class BackwardRules:
    """Backward rules on a model, which is taken apart when the first of them is asked for."""

    def __init__(self, take_apart: Callable[[], Network]) -> None:
        self._take_apart = take_apart

    @cached_property
    def _network(self) -> Network:
        return self._take_apart()

    @cached_property
    def names(self) -> frozenset[str]:
        """Rules that have a meaning for every layer of the model."""
        return frozenset(rule for rule in RULES if not self.refusal(rule))

    def refusal(self, rule: str) -> str:
        """One sentence for a known rule that has no meaning for the model; else empty."""
        reason = self._reason(rule) if rule in RULES else ""
        return f"{rule} has no meaning here: {reason}" if reason else ""

    def _reason(self, rule: str) -> str:
        try:
            return RULES[rule].refusal(self._network)
        except NotApplicable as error:
            return str(error)

    @property
    def refusals(self) -> str:
        """Why each rule that has no meaning has none."""
        return "; ".join(filter(None, map(self.refusal, RULES)))

    def compares(self, rule: str) -> bool:
        """Tell whether a rule compares the image with a baseline."""
        return RULES[rule].carries is Carries.MULTIPLIER

    def function(self, rule: str) -> Callable[..., Any]:
        """Function of images, targets and, for rules that compare, a baseline."""
        return backward(self._network, RULES[rule])
