"""How far readers agree: Krippendorff's alpha, the intraclass correlation, and weighted kappa."""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats

DRAWS = 500
Table = Float[np.ndarray, "units readers"]
"""Ratings, whole numbers; NaN where a reader did not rate a unit."""
Statistic = Callable[[Table], float]


@dataclass(frozen=True)
class Coefficient:
    """An agreement with its 95 % interval over patients."""

    value: float | None
    """None where it is not defined: no two ratings of a unit, or no two different ratings at all."""
    low: float | None = None
    high: float | None = None


def krippendorff_alpha(ratings: Table) -> float:
    """Krippendorff's alpha for ordinal ratings, 1 - D_o / D_e, in (-1, 1]; 0 = as by chance, NaN where undefined.

    From the coincidence matrix o: pairs of ratings within a unit, each unit's pairs weighted by 1 / (m_u - 1). The
    squared distance of ranks c <= k is (sum of n_g for g = c .. k, less (n_c + n_k) / 2)^2 (Krippendorff 2011,
    Computing Krippendorff's Alpha-Reliability, parts D and E).
    """
    values = np.unique(ratings[np.isfinite(ratings)])
    counts = (ratings[:, :, None] == values).sum(axis=1).astype(np.float64)  # [units values]
    counts = counts[counts.sum(axis=1) >= 2]
    m = counts.sum(axis=1, keepdims=True)
    o = (counts / (m - 1)).T @ counts - np.diag((counts / (m - 1)).sum(axis=0))
    n_c = o.sum(axis=1)
    middle = np.cumsum(n_c) - n_c / 2
    distance = (middle[:, None] - middle) ** 2
    expected = float((np.outer(n_c, n_c) * distance).sum())
    if not expected:
        return math.nan
    return 1 - (float(n_c.sum()) - 1) * float((o * distance).sum()) / expected


def icc_2_1(ratings: Table) -> float:
    """ICC(2,1): two-way random effects, absolute agreement, one rater (Shrout and Fleiss 1979); NaN where undefined.

    (BMS - EMS) / (BMS + (k - 1) EMS + k (JMS - EMS) / n) with the mean squares between units, between readers and of
    the residual. Units that a reader did not rate are left out.
    """
    complete = ratings[np.isfinite(ratings).all(axis=1)]
    n, k = complete.shape
    if n < 2 or k < 2:
        return math.nan
    units, readers, mean = complete.mean(axis=1), complete.mean(axis=0), complete.mean()
    residual = complete - units[:, None] - readers + mean
    bms = k * float(((units - mean) ** 2).sum()) / (n - 1)
    jms = n * float(((readers - mean) ** 2).sum()) / (k - 1)
    ems = float((residual**2).sum()) / ((n - 1) * (k - 1))
    whole = bms + (k - 1) * ems + k * (jms - ems) / n
    return (bms - ems) / whole if whole > 0 else math.nan


def weighted_kappa(ratings: Table) -> float:
    """Quadratically weighted kappa (Cohen 1968), mean over pairs of readers; NaN where no pair has one.

    1 less the mean squared difference of the two readers' ratings, over what it would be if each unit of the one met
    every unit of the other: var(a) + var(b) + (mean(a) - mean(b))^2.
    """
    found = [_kappa(first, second) for first, second in itertools.combinations(ratings.T, 2)]
    return float(np.nanmean(found)) if np.isfinite(found).any() else math.nan


def _kappa(first: Float[np.ndarray, "units"], second: Float[np.ndarray, "units"]) -> float:
    both = np.isfinite(first) & np.isfinite(second)
    a, b = first[both], second[both]
    expected = a.var() + b.var() + (a.mean() - b.mean()) ** 2 if len(a) else 0.0
    return 1 - float(((a - b) ** 2).mean() / expected) if expected > 0 else math.nan


def over_patients(ratings: Table, patients: np.ndarray, statistic: Statistic) -> Coefficient:
    """Value of a statistic, and the percentile interval of 500 draws of the patients, whose units stay together.

    `patients` is the patient of each unit. No interval from one patient, or where a draw leaves it undefined.
    """
    value = statistic(ratings)
    names = np.unique(patients)
    if not math.isfinite(value) or len(names) < 2:
        return Coefficient(value if math.isfinite(value) else None)
    rows = [np.flatnonzero(patients == name) for name in names]

    def redrawn(chosen: np.ndarray) -> float:
        return statistic(ratings[np.concatenate([rows[number] for number in chosen])])

    draws = stats.bootstrap(
        (np.arange(len(names)),), redrawn, vectorized=False, n_resamples=DRAWS, method="percentile", rng=0
    ).bootstrap_distribution
    kept = draws[np.isfinite(draws)]
    low, high = np.quantile(kept, [0.025, 0.975])
    return Coefficient(value, float(low), float(high)) if len(kept) == DRAWS else Coefficient(value)
