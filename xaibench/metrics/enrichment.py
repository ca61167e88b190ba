"""Enrichment: relevance mass (Arras et al. 2022, arXiv:2003.07258) over the region's area share."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Heatmap, Measurement, Need, Region
from xaibench.metrics.common.body import body_of
from xaibench.metrics.common.regions import mass_shares, regions_of
from xaibench.metrics.common.shifts import measured


@dataclass(frozen=True)
class Enrichment:
    """How many times more positive mass the annotated region M holds than its area would by chance; high is good.

    (relevance mass) / (|M| / (h w)). Range 0 .. infinity; for one case at most h w / |M|, which a map reaches
    whose positive mass lies wholly inside. Beside it: `gain` over the map shifted around the image's torus, and
    `body_enrichment`: the same with the body in place of the image, for a map that merely avoids the air scores
    more than 1 (missing where the map has no positive mass in the body).

    A uniform or all-zero map scores 1, and a map without knowledge 1 on average, though not in the median: a
    smooth one misses a small region more often than not, and rarely holds much of it. So the mean over patients is
    taken. Pitfalls: the highest possible value depends on the region's size, so small regions weigh most; it
    shares the pitfalls of the relevance mass.
    """

    seed: int = 0

    family: ClassVar = Family.COLOCALISATION
    higher_is_better: ClassVar = True
    range: ClassVar = (0.0, float("inf"))
    source: ClassVar = "after Arras et al. 2022"
    chance: ClassVar = "1 on average"
    needs: ClassVar = frozenset({Need.REGION})
    ranked: ClassVar = "mass inside the region"

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Relevance mass over area share; NotApplicable without an annotated region."""
        heatmap = explanation.heatmap
        regions = regions_of(case, heatmap, self.seed)
        shares = mass_shares(heatmap, regions)
        details = _within_body(heatmap, regions[0], body_of(case))
        return measured(shares / regions[0].mean(), self.higher_is_better, details)


def _within_body(heatmap: Heatmap, region: Region, body: Region) -> dict[str, float]:
    """Enrichment with all that lies outside the body left out."""
    positive = np.maximum(heatmap, 0).astype(np.float64)
    total = positive[body].sum()
    if total == 0:
        return {}
    area = np.count_nonzero(region) / np.count_nonzero(body)
    return {"body_enrichment": float(positive[region].sum() / total / area)}
