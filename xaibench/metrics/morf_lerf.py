"""Most against least relevant first (Samek et al. 2017, arXiv:1509.06321; Bluecher et al. 2024, arXiv:2401.06654)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Measurement, Need, seed_of
from xaibench.metrics.common.curves import check_points, counts, geometric, hottest
from xaibench.metrics.common.ordering import ordering
from xaibench.metrics.common.removal import Removal, check_baseline
from xaibench.metrics.common.shifts import measured, with_shifted

LARGEST = 0.5
"""Share of the pixels at the end of the curves."""


@dataclass(frozen=True)
class MorfLerf:
    """Area between the curves of removing the coldest and the hottest pixels first; high is good.

    Mean over log q of p(coldest q removed) - p(hottest q removed), p the probability of the explained
    class, by the trapezoidal rule on `points` shares q from 0.1 % to 50 % of the pixels, each larger than the one
    before by the same factor, since findings are small. It is the area between perturbation curves (ABPC, Samek
    et al. 2017, eq. 12) over a logarithmic axis, and the symmetric relevance gain of Bluecher et al. 2024.
    Range -1 .. 1. Beside it: `normalised`, divided by the probability that the evidence is worth, `gain` over the map
    shifted around the image's torus, and `tied_share` of the pixels.

    A map without knowledge scores 0 on average, whatever the baseline and the model do with holes, which harm both
    curves alike. Pitfalls: a map that is right about the hottest pixels and wrong about the coldest loses
    half; negative values come first among the coldest, so signed maps are judged on both ends.
    """

    points: int = 10
    baseline: str = "blur"
    seed: int = 0

    family: ClassVar = Family.FAITHFULNESS
    higher_is_better: ClassVar = True
    range: ClassVar = (-1.0, 1.0)
    source: ClassVar = "Samek et al. 2017, Bluecher et al. 2024"
    chance: ClassVar = "0"
    needs: ClassVar = frozenset({Need.SCORES})
    ranked: ClassVar = "order of the evidence"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"smoke": {"points": 5}, "paper": {"points": 20}}

    def __post_init__(self) -> None:
        check_baseline(self.baseline)
        check_points(self.points)

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Both curves of the map and of its shifted copies. Raises NotApplicable where there is no evidence."""
        removal = Removal(classifier, case, explanation.target, self.baseline, self.seed)
        removal.require_evidence()
        order = ordering(explanation.heatmap, seed_of(self.seed, case.id, "morf-lerf"))
        ranks, pixels = with_shifted(order.ranks, case, self.seed), order.ranks.size
        changed = np.unique(counts(geometric(self.points, LARGEST), pixels))
        sets = np.stack([hottest(ranks, changed), hottest(pixels - 1 - ranks, changed)])
        hottest_first, coldest_first = removal.probabilities(~sets)
        areas = _mean_over(np.log(changed), coldest_first - hottest_first)
        normalised = areas[0] / (removal.whole - removal.empty)
        return measured(areas, True, {"normalised": float(normalised), "tied_share": order.tied_share})


def _mean_over(axis: np.ndarray, curves: np.ndarray) -> np.ndarray:
    """Mean height of each curve over an axis; a single point is its own mean."""
    if len(axis) == 1:
        return np.asarray(curves[:, 0])
    return np.asarray(np.trapezoid(curves, axis, axis=1) / (axis[-1] - axis[0]))
