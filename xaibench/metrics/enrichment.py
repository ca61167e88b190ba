"""Enrichment: relevance mass (Arras et al. 2022, arXiv:2003.07258) over the region's area share."""

from dataclasses import dataclass
from typing import ClassVar

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Measurement, Need
from xaibench.metrics.common.regions import area_share, mass_share, region_of


@dataclass(frozen=True)
class Enrichment:
    """How many times more positive mass the annotated region M holds than its area would by chance; high is good.

    (relevance mass) / (|M| / (h w)). Range 0 .. infinity; for one case at most h w / |M|, which a map reaches
    whose positive mass lies wholly inside.

    A random, uniform or all-zero map scores 1. Pitfalls: the highest possible value depends on the region's
    size, so the mean over cases is led by small regions; it shares the pitfalls of the relevance mass.
    """

    family: ClassVar = Family.COLOCALISATION
    higher_is_better: ClassVar = True
    range: ClassVar = (0.0, float("inf"))
    source: ClassVar = "after Arras et al. 2022"
    chance: ClassVar = "1"
    needs: ClassVar = frozenset({Need.REGION})
    aggregate: ClassVar = "median"
    ranked: ClassVar = "mass inside the region"

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Relevance mass over area share; NotApplicable without an annotated region."""
        region = region_of(case, explanation.heatmap)
        return Measurement(mass_share(explanation.heatmap, region) / area_share(region))
