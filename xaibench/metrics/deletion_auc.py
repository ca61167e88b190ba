"""Deletion (Petsiuk, Das and Saenko 2018, "RISE", arXiv:1806.07421, sec. 4.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Measurement, Need
from xaibench.metrics.common.curves import Curve, check_curve, measured_curve


@dataclass(frozen=True)
class DeletionAuc:
    """Area under the probability of the explained class while the hottest pixels are removed; low is good.

    AUC = sum over i of (q_i - q_(i-1)) (p_(i-1) + p_i) / 2, where p_i is the probability once the hottest
    round(q_i h w) pixels are replaced by the baseline; q runs from 0 (the image itself) to 1 (the baseline) in `steps`
    equal steps, as in the paper, or after 0 geometrically from 0.1 %. Range 0 .. 1. Baselines are computed once
    from the original image: `blur`, `mean`, `black` (its own lowest intensity), or `noisy-linear` (ROAD, Rong
    et al. 2022, arXiv:2202.00449).

    Chance has no fixed value: holes alone change the answer. So `gain` stands beside the value: how much more the map
    shifted around the image's torus scores. Pitfalls: removing pixels makes images that the model never
    saw, so a fast drop may be surprise rather than lost evidence (compare baselines); with 20 equal steps, all
    maps that find a finding of 1 % of the image score the same (see `morf-lerf`). Recorded beside it: `normalised`
    (area of (p - p_end) / (p_0 - p_end), which leaves 0 .. 1 where the curve does) and `tied_share` of the pixels.
    """

    steps: int = 20
    spacing: str = "equal"
    baseline: str = "blur"
    seed: int = 0

    family: ClassVar = Family.FAITHFULNESS
    higher_is_better: ClassVar = False
    range: ClassVar = (0.0, 1.0)
    source: ClassVar = "Petsiuk et al. 2018"
    chance: ClassVar = "that of the same map shifted around the image's torus: value + gain"
    needs: ClassVar = frozenset({Need.SCORES})
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"smoke": {"steps": 8}, "paper": {"steps": 50}}

    def __post_init__(self) -> None:
        check_curve(self.steps, self.spacing, self.baseline)

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Area under the curve. Raises NotApplicable where the ends of the curve coincide."""
        curve = Curve(self.steps, self.spacing, self.baseline, self.seed, "deletion-auc")
        return measured_curve(curve, classifier, case, explanation, restoring=False)
