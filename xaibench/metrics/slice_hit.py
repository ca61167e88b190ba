"""Slice hit: whether a volume's hottest slice shows the finding."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Measurement, Need, NotApplicable
from xaibench.metrics.common.regions import regions_of
from xaibench.metrics.common.shifts import measured


@dataclass(frozen=True)
class SliceHit:
    """1 if the slice with the most positive mass meets the annotated region, else 0; high is good.

    Where several slices share the maximum (a constant or all-zero map), the value is the share of them that
    meet the region. Range 0 .. 1. Beside it: `gain` over the map shifted around the image's torus.

    A random map scores the share of slices that show the region. Pitfalls: one slice decides; long findings are
    easy.
    """

    seed: int = 0

    family: ClassVar = Family.COLOCALISATION
    higher_is_better: ClassVar = True
    range: ClassVar = (0.0, 1.0)
    source: ClassVar = "xaibench, after Zhang et al. 2016"
    chance: ClassVar = "share of the slices that show the region"
    needs: ClassVar = frozenset({Need.REGION})
    aggregate: ClassVar = "share"

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Share of the hottest slices that meet the region; NotApplicable for single slices and without a region."""
        if explanation.heatmap.ndim != 3:
            raise NotApplicable("the case is a single slice, not a volume")
        regions = regions_of(case, explanation.heatmap, self.seed)
        mass = np.maximum(explanation.heatmap, 0).sum(axis=(1, 2), dtype=np.float64)
        hottest = mass == mass.max()
        return measured(
            np.array([region.any(axis=(1, 2))[hottest].mean() for region in regions]), self.higher_is_better
        )
