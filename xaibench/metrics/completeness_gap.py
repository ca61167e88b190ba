"""Completeness gap (axiom of Sundararajan, Taly and Yan 2017, arXiv:1703.01365, sec. 3)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Measurement, NotApplicable


@dataclass(frozen=True)
class CompletenessGap:
    """How far a map's sum is from what its method promises, relative to the promise; low is good.

    |sum of h - T| / |T|, T the promised total: logit(image) - logit(baseline) for integrated gradients, DeepLIFT
    and Shapley values. Range 0 .. infinity. Beside it: `promised`, T itself.

    An all-zero map scores 1; a map without knowledge has no fixed value. Only for methods that promise a total.
    Pitfalls: it checks the arithmetic, not the place: a map may sum to the right total and be wrong
    everywhere; where T is small, so is the divisor.
    """

    family: ClassVar = Family.FAITHFULNESS
    scale_free: ClassVar = False
    higher_is_better: ClassVar = False
    range: ClassVar = (0.0, float("inf"))
    source: ClassVar = "Sundararajan et al. 2017"
    chance: ClassVar = "1 for an all-zero map"
    aggregate: ClassVar = "median"

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Relative gap. Raises NotApplicable for methods that promise nothing, or a total of 0."""
        total = explanation.promised_total
        if total is None:
            raise NotApplicable("the method does not promise what its maps sum to")
        if total == 0:
            raise NotApplicable("the promised total is 0, so a relative gap has no meaning")
        gap = abs(float(explanation.heatmap.sum(dtype=np.float64)) - total)
        return Measurement(gap / abs(total), {"promised": total})
