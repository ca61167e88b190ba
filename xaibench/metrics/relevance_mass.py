"""Relevance mass accuracy (Arras, Osman and Samek 2022, "CLEVR-XAI", arXiv:2003.07258)."""

from dataclasses import dataclass
from typing import ClassVar

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Measurement, Need
from xaibench.metrics.common.regions import mass_shares, regions_of
from xaibench.metrics.common.shifts import measured


@dataclass(frozen=True)
class RelevanceMass:
    """Share of the heatmap's positive mass that lies inside the annotated region M; high is good.

    sum over p in M of max(h_p, 0) / sum over all p of max(h_p, 0). Range 0 .. 1. Negative values count as
    zero. A map without positive mass is scored as a uniform one: |M| / (h w). Beside it: `gain` over the map shifted
    around the image's torus.

    A random or uniform map scores |M| / (h w). Pitfalls: it grows with the region, so compare cases by
    `enrichment`; a constant added to a map lowers it; a single bright pixel inside scores 1, as a perfect
    outline does.
    """

    seed: int = 0

    family: ClassVar = Family.COLOCALISATION
    higher_is_better: ClassVar = True
    range: ClassVar = (0.0, 1.0)
    source: ClassVar = "Arras et al. 2022"
    chance: ClassVar = "share of the image that the region covers"
    needs: ClassVar = frozenset({Need.REGION})

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Share of mass inside; NotApplicable without an annotated region."""
        regions = regions_of(case, explanation.heatmap, self.seed)
        shares = mass_shares(explanation.heatmap, regions)
        return measured(shares, self.higher_is_better)
