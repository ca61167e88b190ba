"""Pointing game (Zhang et al. 2016, "Top-down Neural Attention by Excitation Backprop", sec. 4.2)."""

from dataclasses import dataclass
from typing import ClassVar

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Measurement, Need
from xaibench.metrics.common.regions import region_of


@dataclass(frozen=True)
class PointingGame:
    """1 if the hottest pixel lies in the annotated region, else 0; high is good.

    Where several pixels share the maximum, the value is the share of them inside: what a fair draw among
    them gives on average, without the draw. So it is a whole number for maps without ties at the top, and the
    region's share of the area for a constant or all-zero map. Range 0 .. 1. There is no tolerance around the
    region (Zhang et al. allow 15 pixels on photographs; in mm that has no fixed meaning).

    A random map scores the region's share of the area on average. Pitfalls: one pixel decides, so it says
    nothing of the rest of the map; large regions are easy; where the model's evidence truly lies outside the
    annotation, a faithful map loses.
    """

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
        region = region_of(case, heatmap)
        return Measurement(float(region[heatmap == heatmap.max()].mean()))
