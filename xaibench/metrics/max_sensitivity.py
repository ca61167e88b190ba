"""Max-sensitivity (Yeh et al. 2019, "On the (In)fidelity and Sensitivity of Explanations", arXiv:1901.09392)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Measurement, Need
from xaibench.metrics.common.copies import in_ball, require_draws
from xaibench.metrics.common.similarity import relative_changes


@dataclass(frozen=True)
class MaxSensitivity:
    """Largest ||phi(x + e) - phi(x)||_2 / ||phi(x)||_2 over draws of e in a small ball; low is good.

    e is uniform within +-`radius` times the image's own robust range in every pixel; a copy whose predicted
    class flips is replaced by one with half the change. Divided by the map's norm, so that its scale does
    not matter (the paper's is not). Range 0 .. infinity. Beside it: `radius`, the mean that was used, and `flips`.

    A map that does not look at the image scores 0. Pitfalls: the maximum of a few draws is a lower bound of that
    over the ball, and grows with their number; compare equal draws only.
    """

    draws: int = 3
    radius: float = 0.02
    seed: int = 0

    family: ClassVar = Family.ROBUSTNESS
    higher_is_better: ClassVar = False
    range: ClassVar = (0.0, float("inf"))
    source: ClassVar = "Yeh et al. 2019"
    chance: ClassVar = "0 for a map that ignores the image, sqrt(2) for maps drawn independently"
    needs: ClassVar = frozenset({Need.SCORES, Need.EXPLAIN})
    aggregate: ClassVar = "median"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"smoke": {"draws": 2}, "paper": {"draws": 50}}

    def __post_init__(self) -> None:
        require_draws("max-sensitivity", self.draws)

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Explain the copies and take the largest change. Raises NotApplicable as `sensitivity-norm` does."""
        copies, details = in_ball(classifier, case, explanation.target, self.draws, self.radius, self.seed)
        changes = relative_changes(explanation.heatmap, explain(copies.images))
        return Measurement(float(changes.max()), details)
