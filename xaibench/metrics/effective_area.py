"""Effective area: how many pixels a reader has to look at to see nine tenths of a map."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Measurement

MASS = 0.9


@dataclass(frozen=True)
class EffectiveArea:
    """Smallest share of the pixels that holds 90 % of the map's absolute mass; low is good.

    min k / (h w) such that the k largest |h| sum to at least 0.9 of all. Range 0 .. 1; a constant map needs 0.9, as by
    convention a map without any value.

    A map drawn uniformly from [0, 1] needs 0.68. Pitfalls: it says nothing of where the pixels are or whether
    they are right; a constant added to a map raises it.
    """

    family: ClassVar = Family.COMPLEXITY
    higher_is_better: ClassVar = False
    range: ClassVar = (0.0, 1.0)
    source: ClassVar = "xaibench"
    chance: ClassVar = "by the distribution of the values alone: 0.68 for uniform ones"

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Share of the pixels."""
        largest_first = np.sort(np.abs(explanation.heatmap), axis=None)[::-1].astype(np.float64)
        if not largest_first[0]:
            largest_first = np.ones_like(largest_first)
        held = np.cumsum(largest_first)
        enough = MASS * held[-1] * (1 - 1e-12)  # sums in another order differ in the last digit
        return Measurement((int(np.searchsorted(held, enough)) + 1) / held.size)
