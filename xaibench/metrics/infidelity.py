"""Infidelity (Yeh et al. 2019, "On the (In)fidelity and Sensitivity of Explanations", arXiv:1901.09392, eq. 1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Measurement, Need
from xaibench.metrics.common.copies import require_draws
from xaibench.metrics.common.removal import check_baseline
from xaibench.metrics.common.shifts import measured, with_shifted
from xaibench.metrics.common.subsets import Sampling, losses


@dataclass(frozen=True)
class Infidelity:
    """Mean squared error with which the map's sums predict what the model loses; low is good.

    min over b >= 0 of the mean over random sets S of (b sum over p in S of h_p - (p(x) - p(x without S)))^2: the
    paper's measure for removed sets, the map read as contributions, with its optimal scaling, so that the scale of
    a map does not matter. A map of the wrong sign is given b = 0. A set is a fifth of the cells of a 9 x 9 grid,
    drawn once a case, replaced by the baseline. Range 0 .. 1. Beside it: `normalised`, divided by that of an all-zero
    map (missing where nothing is lost), and `gain`, how much more the map shifted around the image's torus errs.

    An all-zero map scores the mean squared loss, which no map exceeds; a map without knowledge comes close.
    Pitfalls: cases in which little can be lost score low for every map, so compare `normalised`; those of
    `mufidelity`, whose sets it shares.
    """

    samples: int = 64
    cells: int = 9
    share: float = 0.2
    baseline: str = "blur"
    seed: int = 0

    family: ClassVar = Family.FAITHFULNESS
    higher_is_better: ClassVar = False
    range: ClassVar = (0.0, 1.0)
    source: ClassVar = "Yeh et al. 2019"
    chance: ClassVar = "that of the same map shifted around the image's torus: value + gain"
    needs: ClassVar = frozenset({Need.SCORES})
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"smoke": {"samples": 32}, "paper": {"samples": 512}}

    def __post_init__(self) -> None:
        check_baseline(self.baseline)
        require_draws("infidelity", min(self.samples, self.cells))

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Mean squared error after scaling. Raises NotApplicable where there is no evidence to remove."""
        sampling = Sampling(self.samples, self.cells, self.share, self.baseline, self.seed)
        lost = losses(case, classifier, explanation.target, sampling)
        sums = lost.sums(with_shifted(explanation.heatmap, case, self.seed))
        of_nothing = float((lost.drops**2).mean())
        errors = np.array([_error(row, lost.drops) for row in sums])
        details = {"normalised": float(errors[0] / of_nothing)} if of_nothing > 0 else {}
        return measured(errors, self.higher_is_better, details)


def _error(sums: np.ndarray, drops: np.ndarray) -> float:
    """Mean squared error with the best scaling that is not negative."""
    largest = float(np.abs(sums).max())
    if largest == 0:
        return float((drops**2).mean())
    sums = sums / largest
    scale = max(0.0, float((sums * drops).sum() / (sums**2).sum()))
    return float(((scale * sums - drops) ** 2).mean())
