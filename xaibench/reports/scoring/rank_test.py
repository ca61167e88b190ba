"""Friedman's and Nemenyi's tests by permutation: of mean ranks to which patients contribute unequally."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from xaibench.reports.scoring.signed_rank import SIGNIFICANT

DRAWS = 1999
AT_ONCE = 1_000_000
"""Permuted numbers in memory."""
DECIMALS = 9
"""Of mean ranks: summed in another order they stay the same."""

TOLERANCE = 1e-6
"""Smaller differences are rounding."""

PerPatient = Float[np.ndarray, "methods patients"]


@dataclass(frozen=True, eq=False)
class RankTest:
    """Whether methods differ in their ranks within patients, and which."""

    p: float
    """That the mean ranks spread so widely by chance: Friedman's test."""
    mean_ranks: Float[np.ndarray, "methods"]
    critical_difference: float
    """Methods whose mean ranks lie farther apart differ (Nemenyi's test), if p is significant."""
    better: Bool[np.ndarray, "methods methods"]
    """True where the data tell that the method of the row is better than that of the column."""
    groups: tuple[tuple[int, ...], ...]
    """Largest sets of methods that cannot be told apart, best first: the bars of a critical-difference diagram."""
    n: int
    """Patients."""


def rank_test(parts: PerPatient) -> RankTest:
    """Test whether methods differ and, where they do, all pairs of them (Demsar 2006, sec. 3.2.2).

    `parts` are what each patient contributes to each method's mean rank, which is their sum over the patients: not
    every patient has every fact, and so the tests' formulas for complete ranks would test another mean. Both
    statistics, the mean ranks' variance and their largest difference, are compared with those of 1999 cohorts in
    which the methods are exchanged within each patient, all facts together.
    """
    means = np.round(parts.sum(axis=1), DECIMALS)
    spreads, widths = permuted(parts)
    p = float((1 + (spreads >= np.var(means) - TOLERANCE).sum()) / (1 + len(spreads)))
    critical = float(np.quantile(widths, 1 - SIGNIFICANT, method="higher"))
    better = (means[None, :] - means[:, None] > critical + TOLERANCE) & (p < SIGNIFICANT)
    return RankTest(p, means, critical, better, _groups(means, better), parts.shape[1])


def permuted(parts: PerPatient) -> tuple[Float[np.ndarray, "draws"], Float[np.ndarray, "draws"]]:
    """Variance and range of the mean ranks, once for each of 1999 cohorts with the methods exchanged.

    The order of methods and patients changes nothing.
    """
    parts = np.sort(np.round(parts, DECIMALS), axis=0)
    parts = parts[:, np.lexsort(parts)]
    rng = np.random.default_rng(0)
    size = max(AT_ONCE // parts.size, 1)
    means = np.concatenate(
        [
            rng.permuted(np.broadcast_to(parts, (min(size, DRAWS - start), *parts.shape)), axis=1).sum(axis=2)
            for start in range(0, DRAWS, size)
        ]
    )
    return means.var(axis=1), np.ptp(means, axis=1)


def _groups(
    means: Float[np.ndarray, "methods"], better: Bool[np.ndarray, "methods methods"]
) -> tuple[tuple[int, ...], ...]:
    order = [int(i) for i in np.argsort(means, kind="stable")]
    runs = [tuple(j for j in order[i:] if not better[order[i], j]) for i in range(len(order))]
    # A run that ends where the one before it ends is part of it.
    return tuple(run for i, run in enumerate(runs) if i == 0 or run[-1] != runs[i - 1][-1])
