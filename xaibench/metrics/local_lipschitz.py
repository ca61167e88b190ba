"""Local Lipschitz estimate (Alvarez-Melis and Jaakkola 2018, "On the Robustness of Interpretability Methods").

arXiv:1806.08049, eq. 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Measurement, Need
from xaibench.metrics.common.copies import in_ball, require_draws
from xaibench.metrics.common.intensity import robust_range
from xaibench.metrics.common.similarity import relative_changes


@dataclass(frozen=True)
class LocalLipschitz:
    """Largest relative change of the map over the relative change of the image that caused it; low is good.

    max over draws of (||phi(x') - phi(x)||_2 / ||phi(x)||_2) / (RMS(x' - x) / r), r the image's own robust range. The
    paper divides by neither norm nor range; without them the value would change with the scale of map and
    image. The copies x', and so the maps, are those of `max-sensitivity`. Range 0 .. infinity. Beside it: `radius`, the
    mean that was used, and `flips`.

    A map that does not look at the image scores 0. Pitfalls: a lower bound of the true constant; all copies change
    the image by about as much, so it says little that `max-sensitivity` does not.
    """

    draws: int = 3
    radius: float = 0.02
    seed: int = 0

    family: ClassVar = Family.ROBUSTNESS
    higher_is_better: ClassVar = False
    range: ClassVar = (0.0, float("inf"))
    source: ClassVar = "after Alvarez-Melis and Jaakkola 2018"
    chance: ClassVar = "0 for a map that ignores the image"
    needs: ClassVar = frozenset({Need.SCORES, Need.EXPLAIN})
    aggregate: ClassVar = "median"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"smoke": {"draws": 2}, "paper": {"draws": 50}}

    def __post_init__(self) -> None:
        require_draws("local-lipschitz", self.draws)

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Explain the copies and take the steepest change. Raises NotApplicable as `sensitivity-norm` does."""
        copies, details = in_ball(classifier, case, explanation.target, self.draws, self.radius, self.seed)
        of_map = relative_changes(explanation.heatmap, explain(copies.images))
        squares = (copies.images.astype(np.float64) - case.image) ** 2
        of_image = np.sqrt(squares.reshape(len(squares), -1).mean(axis=1)) / robust_range(case.image)
        return Measurement(float((of_map / of_image).max()), details)
