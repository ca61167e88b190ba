"""Complexity of a map (Bhatt, Weller and Moura 2020, arXiv:2005.00631, def. 3)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Measurement


@dataclass(frozen=True)
class Entropy:
    """Entropy of the shares that the pixels have in a map's absolute mass, in nats; low is good.

    -sum over p of s_p ln s_p with s_p = |h_p| / sum |h|. Range 0 (one pixel holds all) .. ln(h w) (all alike, and by
    convention a map without any value). Beside it: `evenness`, the entropy over ln(h w), which compares images of
    different sizes (missing for a single pixel).

    A map drawn uniformly from [0, 1] scores ln(h w) - 0.19. Pitfalls: it says nothing of where the values are or
    whether they are right; differences look small, since the logarithm flattens them.
    """

    family: ClassVar = Family.COMPLEXITY
    higher_is_better: ClassVar = False
    range: ClassVar = (0.0, float("inf"))
    unit: ClassVar = "nats"
    source: ClassVar = "Bhatt et al. 2020"
    chance: ClassVar = "by the distribution of the values alone: ln(h w) - 0.19 for uniform ones"

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Entropy of the absolute values."""
        mass = np.abs(explanation.heatmap.ravel()).astype(np.float64)
        mass = mass[mass > 0] if mass.any() else np.ones_like(mass)
        shares = mass / mass.sum()
        value = max(0.0, float(-(shares * np.log(shares)).sum()))
        largest = float(np.log(explanation.heatmap.size))
        return Measurement(value, {"evenness": value / largest} if largest else {})
