"""Average precision of the map as a detector of annotated pixels (Davis and Goadrich 2006)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Measurement, Need
from xaibench.metrics.common.regions import regions_of
from xaibench.metrics.common.shifts import measured


@dataclass(frozen=True)
class PixelAp:
    """Mean precision at the annotated pixels, from the hottest to the coldest of them; high is good.

    sum over thresholds of (R_n - R_(n-1)) P_n, P and R precision and recall of the pixels at least as hot as the
    threshold. It is the mean over pixels of the region of the share of region among all pixels at least as hot.
    Range 0 .. 1. Beside it: `gain` over the map shifted around the image's torus.

    A random map scores about the region's share of the area, a constant one exactly that. Pitfalls: it grows with
    the region; a map that finds one of two findings scores no more than half.
    """

    seed: int = 0

    family: ClassVar = Family.COLOCALISATION
    higher_is_better: ClassVar = True
    range: ClassVar = (0.0, 1.0)
    source: ClassVar = "Davis and Goadrich 2006"
    chance: ClassVar = "share of the image that the region covers"
    needs: ClassVar = frozenset({Need.REGION})

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Average precision; NotApplicable without an annotated region."""
        regions = regions_of(case, explanation.heatmap, self.seed)
        ordered = np.sort(explanation.heatmap, axis=None)
        precisions = [_average_precision(explanation.heatmap[region], ordered) for region in regions]
        return measured(np.array(precisions), self.higher_is_better)


def _average_precision(inside: np.ndarray, ordered: np.ndarray) -> float:
    """By counting; scikit-learn's takes longer than all other maps-only metrics together."""
    inside = np.sort(inside)
    found = len(inside) - np.searchsorted(inside, inside)
    as_hot = len(ordered) - np.searchsorted(ordered, inside)
    return float((found / as_hot).mean())
