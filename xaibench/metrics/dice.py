"""Dice coefficient (Dice 1945, Ecology 26:297) of the hottest pixels and the annotated region."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Measurement, Need
from xaibench.metrics.common.regions import hottest_pixels, overlaps, regions_of
from xaibench.metrics.common.shifts import measured


@dataclass(frozen=True)
class Dice:
    """Overlap of the |M| hottest pixels A with the annotated region M, over their mean size; high is good.

    2 |A and M| / (|A| + |M|). Range 0 .. 1. Cutting at |M| pixels needs no threshold, so neither the scale
    nor the shape of the map's histogram matters. Ties at the border of A are drawn by seed and case. Beside it:
    `gain` over the map shifted around the image's torus.

    A random or constant map scores |M| / (h w) on average. Pitfalls: it grows with the region; with |A| = |M|
    it equals `relevance-rank`, so the two are one piece of evidence, not two.
    """

    seed: int = 0

    family: ClassVar = Family.COLOCALISATION
    higher_is_better: ClassVar = True
    range: ClassVar = (0.0, 1.0)
    source: ClassVar = "Dice 1945"
    chance: ClassVar = "share of the image that the region covers"
    needs: ClassVar = frozenset({Need.REGION})

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Dice coefficient; NotApplicable without an annotated region."""
        regions = regions_of(case, explanation.heatmap, self.seed)
        size = int(np.count_nonzero(regions[0]))
        marked = hottest_pixels(explanation.heatmap, size, case, self.seed)
        both = overlaps(marked, regions)
        return measured(2 * both / (np.count_nonzero(marked) + size), self.higher_is_better)
