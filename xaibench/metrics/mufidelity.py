"""Mu-fidelity (Bhatt, Weller and Moura 2020, "Evaluating and Aggregating Feature-based Model Explanations").

arXiv:2005.00631, def. 2, with cells of a grid as features.
"""

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
class MuFidelity:
    """Correlation, over random sets of cells, of the map's sum with the probability lost without them; high is good.

    Pearson correlation over sets S of sum over p in S of h_p with p(x) - p(x without S): a set is a fifth of the cells
    of a 9 x 9 grid, drawn once a case, replaced by the baseline. The map's mean is taken off first: where cells differ
    in size, larger sets would lose more and have larger sums, whatever the map. Range -1 .. 1; 0 for a constant map.
    Beside it: `gain` over the map shifted around the image's torus.

    A random or constant map scores 0 on average. Pitfalls: it reads the map as contributions that add up, which
    is not what CAMs promise; cells are coarser than small findings; sets that show nothing but holes have
    losses too. The sets are those of `infidelity`, and predicted once a case for all methods.
    """

    samples: int = 64
    cells: int = 9
    share: float = 0.2
    baseline: str = "blur"
    seed: int = 0

    family: ClassVar = Family.FAITHFULNESS
    higher_is_better: ClassVar = True
    range: ClassVar = (-1.0, 1.0)
    source: ClassVar = "Bhatt et al. 2020"
    chance: ClassVar = "0"
    needs: ClassVar = frozenset({Need.SCORES})
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"smoke": {"samples": 32}, "paper": {"samples": 512}}

    def __post_init__(self) -> None:
        check_baseline(self.baseline)
        require_draws("mufidelity", min(self.samples, self.cells))

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Correlate sums and losses. Raises NotApplicable where there is no evidence to remove."""
        sampling = Sampling(self.samples, self.cells, self.share, self.baseline, self.seed)
        lost = losses(case, classifier, explanation.target, sampling)
        heatmap = explanation.heatmap.astype(np.float64)
        sums = lost.sums(with_shifted(heatmap - heatmap.mean(), case, self.seed))
        return measured(_correlations(sums, lost.drops, float(np.abs(heatmap).sum())), self.higher_is_better)


def _correlations(sums: np.ndarray, drops: np.ndarray, size: float) -> np.ndarray:
    """Pearson correlation of each row with the losses; 0 where either is constant up to rounding.

    Of the sums, that is judged beside the size of the map, the sum of its absolute values.
    """
    a, b = sums - sums.mean(axis=1, keepdims=True), drops - drops.mean()
    spread = np.linalg.norm(a, axis=1)
    constant = (spread <= 1e-9 * size) | (np.ptp(drops) < 1e-6)
    norms = np.where(constant, 1.0, spread * np.linalg.norm(b))
    return np.where(constant, 0.0, np.clip((a * b).sum(axis=1) / norms, -1, 1))
