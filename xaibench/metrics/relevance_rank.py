"""Relevance rank accuracy (Arras, Osman and Samek 2022, "CLEVR-XAI", arXiv:2003.07258)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Measurement, Need, seed_of
from xaibench.metrics.common.ordering import hottest
from xaibench.metrics.common.regions import region_of


@dataclass(frozen=True)
class RelevanceRank:
    """Share of the |M| hottest pixels that lie inside the annotated region M; high is good.

    |A and M| / |M|, where A is the |M| hottest pixels; signed values are ordered as they are. Range 0 .. 1.
    Ties at the border of A are drawn by a seed made of case and metric.

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
        region = region_of(case, explanation.heatmap)
        size = int(np.count_nonzero(region))
        found = hottest(explanation.heatmap, size, seed_of(self.seed, case.id, "hottest pixels"))
        return Measurement(np.count_nonzero(found & region) / size)
