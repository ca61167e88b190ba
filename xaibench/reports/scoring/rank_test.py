"""Friedman's and Nemenyi's tests of the ranks of all methods within patients."""

import functools
import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy import stats

from xaibench.reports.scoring.signed_rank import SIGNIFICANT, p_value

PerPatient = Float[np.ndarray, "methods patients"]


@dataclass(frozen=True, eq=False)
class RankTest:
    """Whether methods differ in their ranks within patients, and which."""

    p: float
    """Friedman's test over all methods; Wilcoxon's where there are two."""
    mean_ranks: Float[np.ndarray, "methods"]
    critical_difference: float
    """Methods whose mean ranks lie farther apart differ (Nemenyi 1963), if p is significant."""
    better: Bool[np.ndarray, "methods methods"]
    """True where the data tell that the method of the row is better than that of the column."""
    groups: tuple[tuple[int, ...], ...]
    """Largest sets of methods that cannot be told apart, best first: the bars of a critical-difference diagram."""
    n: int
    """Patients."""


def rank_test(ranks: PerPatient) -> RankTest:
    """Friedman's test and, where it finds a difference, Nemenyi's of all pairs (Demsar 2006, sec. 3.2.2).

    `ranks` are finite, 1 = best within each patient; at least one patient.
    """
    k, n = ranks.shape
    means = ranks.mean(axis=1)
    p = _friedman(ranks)
    critical = _critical_range(k) * math.sqrt(k * (k + 1) / (12 * n))
    better = (means[None, :] - means[:, None] > critical) & (p < SIGNIFICANT)
    return RankTest(p, means, critical, better, _groups(means, better), n)


@functools.lru_cache
def _critical_range(k: int) -> float:
    """Range that k independent standard normal values exceed with a probability of 5 %."""
    return float(stats.studentized_range.ppf(1 - SIGNIFICANT, k, math.inf)) if k > 1 else math.inf


def _friedman(ranks: PerPatient) -> float:
    if len(ranks) < 2 or (ranks == ranks[0]).all():
        return 1.0
    # With two methods Friedman's approximation sees a difference in 4 of 4 patients; the exact p is 0.125.
    return p_value(ranks[0] - ranks[1]) if len(ranks) == 2 else float(stats.friedmanchisquare(*ranks).pvalue)


def _groups(
    means: Float[np.ndarray, "methods"], better: Bool[np.ndarray, "methods methods"]
) -> tuple[tuple[int, ...], ...]:
    order = [int(i) for i in np.argsort(means, kind="stable")]
    runs = [tuple(j for j in order[i:] if not better[order[i], j]) for i in range(len(order))]
    # A run that ends where the one before it ends is part of it.
    return tuple(run for i, run in enumerate(runs) if i == 0 or run[-1] != runs[i - 1][-1])
