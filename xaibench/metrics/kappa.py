"""Cohen's kappa (Cohen 1960, doi:10.1177/001316446002000104) of the hottest pixels and the annotated region."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Measurement, Need
from xaibench.metrics.common.regions import hottest_pixels, overlaps, regions_of, require_outside
from xaibench.metrics.common.shifts import measured


@dataclass(frozen=True)
class Kappa:
    """Agreement of the |M| hottest pixels A with the annotated region M, corrected for chance; high is good.

    (p_o - p_e) / (1 - p_e): p_o is the share of pixels that A and M judge alike, p_e = s^2 + (1 - s)^2 what two
    independent judges that mark the share s = |M| / (h w) agree on. Range -1 .. 1. Ties at the border of A are drawn by
    seed and case. Beside it: `gain` over the map shifted around the image's torus.

    A random or constant map scores 0 on average. Pitfalls: it orders maps of one case exactly as `relevance-rank`
    does, so the two are one piece of evidence; the lowest value is above -1 for small regions.
    """

    seed: int = 0

    family: ClassVar = Family.COLOCALISATION
    higher_is_better: ClassVar = True
    range: ClassVar = (-1.0, 1.0)
    source: ClassVar = "Cohen 1960"
    chance: ClassVar = "0"
    needs: ClassVar = frozenset({Need.REGION})

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Kappa; NotApplicable without an annotated region, or where it covers the whole image."""
        regions = regions_of(case, explanation.heatmap, self.seed)
        require_outside(regions[0])
        size = int(np.count_nonzero(regions[0]))
        marked = hottest_pixels(explanation.heatmap, size, case, self.seed)
        both = overlaps(marked, regions)
        alike = 1 - 2 * (size - both) / marked.size
        share = size / marked.size
        by_chance = share**2 + (1 - share) ** 2
        return measured((alike - by_chance) / (1 - by_chance), self.higher_is_better)
