"""Latency: how long a reader waits for one heatmap."""

from dataclasses import dataclass
from typing import ClassVar

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Measurement, Need


@dataclass(frozen=True)
class Latency:
    """Milliseconds to explain one image alone, after warm-up; low is good.

    Wall-clock time of the explainer's call, model passes included, without reading or scoring. Range 0 .. infinity.

    A random map takes next to nothing. Pitfalls: it is of this machine, model and batch of one; compare methods
    within a run only, and see `forward-passes` for a figure that travels.
    """

    family: ClassVar = Family.COST
    higher_is_better: ClassVar = False
    range: ClassVar = (0.0, float("inf"))
    unit: ClassVar = "ms"
    source: ClassVar = "xaibench"
    chance: ClassVar = "next to nothing: a random map asks no model"
    needs: ClassVar = frozenset({Need.TIMING})
    aggregate: ClassVar = "median"

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Report the time that was taken when the heatmap was made."""
        return Measurement(explanation.seconds * 1000)
