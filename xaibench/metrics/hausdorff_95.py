"""95th percentile of the Hausdorff distance (Huttenlocher et al. 1993; Taha and Hanbury 2015) to the region."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from xaibench.api import (
    Case,
    Classifier,
    Explain,
    Explanation,
    Family,
    Measurement,
    Need,
    NotApplicable,
    Region,
)
from xaibench.metrics.common.regions import hottest_pixels, regions_of
from xaibench.metrics.common.shifts import measured, with_shifted

if TYPE_CHECKING:
    from scipy.spatial import KDTree


@dataclass(frozen=True)
class Hausdorff95:
    """Distance between the borders of the |M| hottest pixels A and of the annotated region M, in mm; low is good.

    max of the 95th percentiles of d(a, border of M) over the border of A, and of d(m, border of A) over the
    border of M, d the distance between pixel centres. A border pixel touches, by an edge, one outside or the
    image's end. Range 0 .. the image's diagonal. Ties at the border of A are drawn by seed and case. Beside it:
    `gain`, how much farther the map shifted around the image's torus is.

    Chance depends on size and place of the region; a random map scatters A over the whole image. Pitfalls: a
    few far pixels decide, so speckled maps score badly even if most of them is inside; images of different
    field of view have different worst values.
    """

    seed: int = 0

    family: ClassVar = Family.COLOCALISATION
    higher_is_better: ClassVar = False
    range: ClassVar = (0.0, float("inf"))
    unit: ClassVar = "mm"
    source: ClassVar = "Taha and Hanbury 2015"
    chance: ClassVar = "that of the same map shifted around the image's torus: value + gain"
    needs: ClassVar = frozenset({Need.REGION})

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Distance of the borders; NotApplicable without an annotated region, or a known size of the pixels."""
        if case.spacing_mm is None:
            raise NotApplicable("it is not known how large a pixel is, so there is no distance in mm")
        regions = regions_of(case, explanation.heatmap, self.seed)
        size = int(np.count_nonzero(regions[0]))
        marked = hottest_pixels(explanation.heatmap, size, case, self.seed)
        annotated = Border(regions[0], case.spacing_mm)
        # No shifted regions here: the image ends at its border, so the distance changes where one wraps around.
        found = with_shifted(marked, case, self.seed)
        distances = [annotated.distance_95(Border(copy, case.spacing_mm)) for copy in found]
        return measured(np.array(distances), self.higher_is_better)


class Border:
    """Border pixels of a region: those that touch, by an edge, a pixel outside or the image's end."""

    def __init__(self, region: Region, spacing_mm: tuple[float, ...]) -> None:
        framed = np.pad(region, 1)
        steps = np.array(framed.strides) // framed.itemsize
        inside = np.flatnonzero(framed)
        beside = framed.ravel()[inside + np.concatenate([steps, -steps])[:, None]]
        places = np.unravel_index(inside[~beside.all(axis=0)], framed.shape)
        self.places = np.stack(places, axis=1) * np.array(spacing_mm)
        """[n axes], in mm."""

    def distance_95(self, other: "Border") -> float:
        """Larger of the 95th percentiles of the distances from each border to the other, in mm."""
        there, back = other.tree.query(self.places)[0], self.tree.query(other.places)[0]
        return float(max(np.percentile(there, 95), np.percentile(back, 95)))

    @cached_property
    def tree(self) -> "KDTree":
        """Finds the border pixel next to a place."""
        from scipy.spatial import KDTree  # slow to import

        return KDTree(self.places)
