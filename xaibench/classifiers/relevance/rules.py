"""The named rules, each a table: which function for which kind of node."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from xaibench.classifiers.relevance import differences, others, sums
from xaibench.classifiers.relevance.network import Network
from xaibench.classifiers.relevance.nodes import (
    Convolution,
    FixedSum,
    Maximum,
    Move,
    Node,
    Opaque,
    Relu,
    WeightedSum,
)

Function = Callable[..., list[Any]]


class Carries(Enum):
    """What is sent back."""

    GRADIENT = "gradient"
    RELEVANCE = "relevance"
    MULTIPLIER = "multiplier"
    """Times the difference to the baseline, it is a contribution."""


@dataclass(frozen=True)
class Rule:
    """Functions by kind of node; the most special kind of a node decides."""

    source: str
    carries: Carries
    functions: Mapping[type, Function]
    at_the_pixels: Function | None = None
    """For weighted sums of pixels; None = as elsewhere."""

    def function(self, node: Node, sees_pixels: bool = False) -> Function:
        """Return the function for a node."""
        if sees_pixels and self.at_the_pixels is not None and isinstance(node, WeightedSum):
            return self.at_the_pixels
        return next(self.functions[kind] for kind in type(node).__mro__ if kind in self.functions)

    def refusal(self, network: Network) -> str:
        """Why the rule has no meaning for a network; empty if it has one."""
        if Opaque not in self.functions:
            unknown = next((node.name for node in network.nodes if isinstance(node, Opaque)), None)
            if not network.is_linear_at_the_end:
                return "the model's logits are read back from its probabilities"
            return f"there is no rule for layer {unknown!r}" if unknown else ""
        has_relu = any(isinstance(node, Relu) for node in network.nodes)
        return "" if has_relu else "without ReLU layers it would be the plain gradient"


PASSED: Mapping[type, Function] = {
    Move: others.gradient,
    Maximum: others.gradient,
    Relu: others.unchanged,
}
EVERYWHERE: Mapping[type, Function] = {Node: others.gradient, Opaque: others.gradient}

RULES: Mapping[str, Rule] = {
    "guided": Rule("Springenberg et al. 2015", Carries.GRADIENT, {**EVERYWHERE, Relu: others.guided_relu}),
    "deconv": Rule("Zeiler and Fergus 2014", Carries.GRADIENT, {**EVERYWHERE, Relu: others.deconvolved_relu}),
    "z-plus": Rule(
        "Montavon et al. 2017",
        Carries.RELEVANCE,
        {**PASSED, WeightedSum: sums.z_plus, FixedSum: others.share_of_one_sign},
        sums.z_box,
    ),
    "lrp-composite": Rule(
        "Bach et al. 2015, Montavon et al. 2019",
        Carries.RELEVANCE,
        {**PASSED, WeightedSum: sums.epsilon, Convolution: sums.gamma, FixedSum: others.share},
        sums.z_box,
    ),
    "deeplift-rescale": Rule(
        "Shrikumar et al. 2017",
        Carries.MULTIPLIER,
        {
            WeightedSum: others.gradient,
            FixedSum: others.gradient,
            Move: others.gradient,
            Relu: differences.rescale,
            Maximum: differences.rescale_maximum,
        },
    ),
}
