"""Backward passes: what a heatmap costs in gradients, whatever the machine."""

from dataclasses import dataclass
from typing import ClassVar

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Measurement


@dataclass(frozen=True)
class BackwardPasses:
    """Gradients taken through the model to explain one image, each image of a batch counted; low is good.

    Range 0 .. infinity. A random map needs 0. Pitfalls: one that stops at the last block counts as much as one
    that goes back to the input, and costs far less; a black box offers none, so 0 also means "works without".
    """

    family: ClassVar = Family.COST
    higher_is_better: ClassVar = False
    range: ClassVar = (0.0, float("inf"))
    unit: ClassVar = "passes"
    source: ClassVar = "xaibench"
    chance: ClassVar = "0"

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Report the passes that were counted when the heatmap was made."""
        return Measurement(float(explanation.backward))
