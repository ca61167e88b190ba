"""Relevance rank accuracy (Arras, Osman and Samek 2022, "CLEVR-XAI", arXiv:2003.07258)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Measurement, Need
from xaibench.metrics.common.body import body_of
from xaibench.metrics.common.regions import hottest_pixels, overlaps, regions_of
from xaibench.metrics.common.shifts import measured


@dataclass(frozen=True)
class RelevanceRank:
    """Share of the |M| hottest pixels that lie inside the annotated region M; high is good.

    |A and M| / |M|, where A is the |M| hottest pixels; signed values are ordered as they are. Range 0 .. 1.
    Ties at the border of A are drawn by seed and case. Beside it: `gain` over the map shifted around the image's torus,
    and `body_chance`, what a map scores that is random inside the body.

    A random or constant map scores |M| / (h w) on average. Pitfalls: it grows with the region; for a map with
    few non-zero pixels most of A is drawn at random among the zeros (see `tied_share` of the curve metrics).
    """

    seed: int = 0

    family: ClassVar = Family.COLOCALISATION
    higher_is_better: ClassVar = True
    range: ClassVar = (0.0, 1.0)
    source: ClassVar = "Arras et al. 2022"
    chance: ClassVar = "share of the image that the region covers"
    needs: ClassVar = frozenset({Need.REGION})
    ranked: ClassVar = "hottest pixels inside the region"

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Share of the hottest pixels inside; NotApplicable without an annotated region."""
        regions = regions_of(case, explanation.heatmap, self.seed)
        size = int(np.count_nonzero(regions[0]))
        marked = hottest_pixels(explanation.heatmap, size, case, self.seed)
        shares = overlaps(marked, regions) / size
        return measured(
            shares, self.higher_is_better, {"body_chance": size / np.count_nonzero(body_of(case))}
        )
