"""Smallest sufficient region (Dabkowski and Gal 2017, arXiv:1705.07857, sec. 2), by a map's own order."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Measurement, Need
from xaibench.metrics.common.curves import check_points
from xaibench.metrics.common.removal import check_baseline
from xaibench.metrics.common.smallest_area import Search, measured_area


@dataclass(frozen=True)
class SufficientArea:
    """Smallest share of hottest pixels that alone give the predicted class; low is good.

    min of the shares q on a geometric grid of `points` from 0.1 % to 100 % such that the baseline in which the
    hottest q pixels are those of the image is given the explained class. Range 0 .. 1. Beside it: `gain`, how
    much more the map shifted around the image's torus needs, and `tied_share` of the pixels.

    Chance has no fixed value; it is below 1 for every map, since enough pixels of any kind give the class back.
    Pitfalls: the answer is one of the grid's shares; a few pixels on a baseline are an image that the model never
    saw, and only the smallest share is kept, even if the class is lost again later.
    """

    points: int = 20
    baseline: str = "blur"
    seed: int = 0

    family: ClassVar = Family.FAITHFULNESS
    higher_is_better: ClassVar = False
    range: ClassVar = (0.0, 1.0)
    source: ClassVar = "Dabkowski and Gal 2017"
    chance: ClassVar = "that of the same map shifted around the image's torus: value + gain"
    needs: ClassVar = frozenset({Need.SCORES})
    ranked: ClassVar = "smallest evidence"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"smoke": {"points": 8}, "paper": {"points": 40}}

    def __post_init__(self) -> None:
        check_baseline(self.baseline)
        check_points(self.points)

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Raises NotApplicable where the model does not predict the class, or predicts it for the baseline too."""
        search = Search(self.points, self.baseline, self.seed, "sufficient-area")
        return measured_area(search, classifier, case, explanation, restoring=True)
