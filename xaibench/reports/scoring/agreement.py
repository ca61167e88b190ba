"""Whether metrics, or families of metrics, put the methods in the same order or in opposite ones."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from xaibench.reports.scoring.comparisons import holm
from xaibench.reports.scoring.intervals import Estimate, estimate
from xaibench.reports.scoring.rank_test import PerPatient
from xaibench.reports.scoring.signed_rank import SIGNIFICANT, p_value


@dataclass(frozen=True)
class Agreement:
    """How alike two metrics or families order the methods."""

    first: str
    second: str
    correlation: Estimate
    """Mean over patients of Kendall's tau-b over methods: 1 the same order, 0 unrelated, -1 the opposite one."""
    corrected_p: float
    """Wilcoxon's signed-rank test of a correlation below 0, one-sided, corrected for all pairs (Holm 1979)."""

    @property
    def contradict(self) -> bool:
        """Whether the data tell that the two order the methods in opposite ways."""
        high = self.correlation.high
        return high is not None and high < 0 and self.corrected_p < SIGNIFICANT


def agreements(ranks: Mapping[str, PerPatient]) -> tuple[Agreement, ...]:
    """Compare each pair of metrics, or of families, over the patients that both have.

    `ranks` holds for each the ranks of the same methods within the same patients, NaN in a patient without any. A
    patient in whom one of the two ties all methods shows no order and is left out.
    """
    pairs = list(itertools.combinations(ranks, 2))
    taus = [_taus(ranks[first], ranks[second]) for first, second in pairs]
    corrected = holm([p_value(found, "less") for found in taus])
    return tuple(
        Agreement(*pair, estimate(found, "mean", (-1.0, 1.0)), p)
        for pair, found, p in zip(pairs, taus, corrected, strict=True)
    )


def _taus(first: PerPatient, second: PerPatient) -> Float[np.ndarray, "ordered"]:
    """Kendall's tau-b of each patient: concordant pairs of methods less discordant ones (Kendall 1945)."""
    signs = [np.sign(ranks[:, None] - ranks) for ranks in (first, second)]
    concordance = (signs[0] * signs[1]).sum(axis=(0, 1))
    sizes = [np.abs(sign).sum(axis=(0, 1)) for sign in signs]
    most = np.sqrt(sizes[0] * sizes[1])
    ordered = most > 0  # False for NaN
    return np.asarray(concordance[ordered] / most[ordered])
