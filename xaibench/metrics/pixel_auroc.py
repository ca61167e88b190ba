"""Area under the ROC curve of the map as a detector of annotated pixels (Hanley and McNeil 1982)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Measurement, Need
from xaibench.metrics.common.regions import regions_of, require_outside
from xaibench.metrics.common.shifts import measured


@dataclass(frozen=True)
class PixelAuroc:
    """Probability that a pixel of the annotated region is hotter than one outside; high is good.

    P(h_in > h_out) + P(h_in = h_out) / 2 over all pairs, which is the area under the ROC curve. Range 0 .. 1. Beside
    it: `gain` over the map shifted around the image's torus.

    A random, constant or all-zero map scores 0.5. Pitfalls: pixels outside are many, so a map may put its
    hottest spot outside and still score 0.99 (see `pixel-ap`); a map that is low in the air and the same
    everywhere in the body scores high.
    """

    seed: int = 0

    family: ClassVar = Family.COLOCALISATION
    higher_is_better: ClassVar = True
    range: ClassVar = (0.0, 1.0)
    source: ClassVar = "Hanley and McNeil 1982"
    chance: ClassVar = "0.5"
    needs: ClassVar = frozenset({Need.REGION})

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Area under the curve; NotApplicable without a region, or where it covers the whole image."""
        regions = regions_of(case, explanation.heatmap, self.seed)
        require_outside(regions[0])
        ordered = np.sort(explanation.heatmap, axis=None)
        areas = [_area(explanation.heatmap[region], ordered) for region in regions]
        return measured(np.array(areas), self.higher_is_better)


def _area(inside: np.ndarray, ordered: np.ndarray) -> float:
    """Mann-Whitney statistic by mid-ranks: scikit-learn's takes longer than all other maps-only metrics together."""
    below, up_to = (np.searchsorted(ordered, inside, side).sum(dtype=float) for side in ("left", "right"))
    pairs_within = len(inside) ** 2  # a pixel of the region is compared with those outside only
    return float(((below + up_to - pairs_within) / 2) / (len(inside) * (len(ordered) - len(inside))))
