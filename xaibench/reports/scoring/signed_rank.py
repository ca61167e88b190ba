"""Wilcoxon's signed-rank test of paired differences: its p, its effect size, and what it could have seen."""

import functools
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float
from scipy import optimize, stats

from xaibench.reports.scoring.intervals import Estimate, Values, clopper_pearson

Alternative = Literal["two-sided", "greater", "less"]

SIGNIFICANT = 0.05
EXACT_UP_TO = 50
"""Differences; of more, scipy's normal approximation is close."""
DIGITS = 9
"""Decimals of a difference, in units of the largest: rounding in the last digits makes no two differ."""
POWER = 0.8
COHORTS = 2000


def p_value(differences: Values, alternative: Alternative = "two-sided") -> float:
    """Return the p of finite paired differences (Wilcoxon 1945), exact for up to 50 of them, ties or not.

    Pairs without a difference are left out; p is 1 if none is left. scipy enumerates tied samples, which takes seconds
    for 13 patients, and approximates from 14 on.
    """
    ranks, positive = _ranked(differences)
    if len(ranks) > EXACT_UP_TO:
        signed = np.where(positive, ranks, -ranks)  # their own ranks are the same
        return float(stats.wilcoxon(signed, alternative=alternative).pvalue)
    chances = _null_distribution(tuple(np.rint(2 * np.sort(ranks)).astype(int).tolist()))
    found = round(2 * float(ranks[positive].sum()))
    less, greater = float(chances[: found + 1].sum()), float(chances[found:].sum())
    return min(1.0, {"two-sided": 2 * min(less, greater), "less": less, "greater": greater}[alternative])


def smallest_p(n: int, alternative: Alternative = "two-sided") -> float:
    """Return the p of n differences that all have one sign: no cohort of n patients reaches a smaller one."""
    return min(1.0, (2.0 if alternative == "two-sided" else 1.0) * 0.5**n)


def rank_biserial(differences: Values) -> Estimate:
    """Matched-pairs rank-biserial correlation (Kerby 2014) with its 95 % interval.

    Sum of the ranks of positive differences minus that of negative ones, over the sum of all: 1 where all pairs favour
    the first, -1 where all favour the second. The interval is Clopper and Pearson's for the share of positive ranks,
    with (sum r)^2 / sum r^2 as the number of independent pairs, since pairs count with their ranks r.
    """
    ranks, positive = _ranked(differences)
    if not len(ranks):
        return Estimate(0.0, None, None, len(differences), "no pair differs")
    total = float(ranks.sum())
    share, pairs = float(ranks[positive].sum()) / total, total**2 / float((ranks**2).sum())
    low, high = clopper_pearson(share * pairs, pairs)
    return Estimate(2 * share - 1, 2 * low - 1, 2 * high - 1, len(differences))


@functools.lru_cache
def detectable_effect(n: int, level: float) -> float | None:
    """Smallest mean of n normal differences that the two-sided test sees at `level` with 80 % power.

    In standard deviations of the differences, from 2000 drawn cohorts. None where no difference could be seen, however
    large: too few patients for a p of `level`.
    """
    if smallest_p(n) > level:
        return None
    cohorts = np.random.default_rng(n).normal(size=(COHORTS, n))

    def surplus(mean: float) -> float:
        return float((stats.wilcoxon(cohorts + mean, axis=1).pvalue <= level).mean()) - POWER

    return float(optimize.bisect(surplus, 0, 4, xtol=0.01))


def _ranked(differences: Values) -> tuple[Float[np.ndarray, "pairs"], Bool[np.ndarray, "pairs"]]:
    """Ranks of the sizes of the differences that are not zero, and which of these are positive."""
    largest = np.abs(differences).max(initial=0)
    rounded = np.round(differences / largest, DIGITS) if largest else differences
    rounded = rounded[rounded != 0]
    return stats.rankdata(np.abs(rounded)), rounded > 0


@functools.lru_cache
def _null_distribution(doubled: tuple[int, ...]) -> Float[np.ndarray, "sums"]:
    """Chance of each sum of doubled ranks (ties have halves), each rank counting or not by the toss of a coin."""
    chances = np.ones(1)
    for rank in doubled:
        longer = np.pad(chances, (0, rank))
        chances = (longer + np.roll(longer, rank)) / 2
    return chances
