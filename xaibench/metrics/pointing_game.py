"""Pointing game (Zhang et al. 2016, "Top-down Neural Attention by Excitation Backprop", sec. 4.2)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Measurement, Need, Region
from xaibench.metrics.common.body import body_of
from xaibench.metrics.common.regions import regions_of
from xaibench.metrics.common.shifts import measured

NEAR_MM = 5.0


@dataclass(frozen=True)
class PointingGame:
    """1 if the hottest pixel lies in the annotated region, else 0; high is good.

    Where several pixels share the maximum, the value is the share of them inside: what a fair draw among
    them gives on average, without the draw. So it is a whole number for maps without ties at the top, and the
    region's share of the area for a constant or all-zero map. Range 0 .. 1. Beside it: `within_5_mm`, the same
    with a tolerance of 5 mm around the region (centre to centre of pixels, where their size is known), `gain`
    over the map shifted around the image's torus, and `body_chance`, what a map scores that is random inside the
    body.

    A random map scores the region's share of the area on average. Pitfalls: one pixel decides, so it says
    nothing of the rest of the map; large regions are easy; where the model's evidence truly lies outside the
    annotation, a faithful map loses.
    """

    seed: int = 0

    family: ClassVar = Family.COLOCALISATION
    higher_is_better: ClassVar = True
    range: ClassVar = (0.0, 1.0)
    source: ClassVar = "Zhang et al. 2016"
    chance: ClassVar = "share of the image that the region covers"
    needs: ClassVar = frozenset({Need.REGION})
    aggregate: ClassVar = "share"
    ranked: ClassVar = "hottest pixel inside the region"

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Share of the hottest pixels that lie inside; NotApplicable without an annotated region."""
        heatmap = explanation.heatmap
        regions = regions_of(case, heatmap, self.seed)
        top = heatmap == heatmap.max()
        inside = np.array([region[top].mean() for region in regions])
        details = {"body_chance": float(regions[0].sum() / body_of(case).sum())}
        if case.spacing_mm is not None:
            details["within_5_mm"] = _share_near(top, regions[0], case.spacing_mm)
        return measured(inside, self.higher_is_better, details)


def _share_near(top: Region, region: Region, spacing_mm: tuple[float, ...]) -> float:
    """Share of the marked pixels that lie within 5 mm of the region."""
    from scipy.spatial import KDTree

    bound = np.nextafter(NEAR_MM, np.inf)  # farther pixels are not looked at; their distance is infinite
    tree = KDTree(np.argwhere(region) * spacing_mm)
    distances, _ = tree.query(np.argwhere(top) * spacing_mm, distance_upper_bound=bound)
    return float(np.isfinite(distances).mean())
