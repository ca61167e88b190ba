"""Means over patients with bootstrap intervals, and ranks.

The patient is the unit: cases of one patient are not independent, so they are averaged first.
"""

import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats

RESAMPLES = 2000
LEVEL = 0.95

Values = Float[np.ndarray, "patients"]


@dataclass(frozen=True)
class Estimate:
    """A mean over patients and its 95 % interval, which needs at least two patients."""

    mean: float
    low: float | None
    high: float | None


def patient_means(pairs: Iterable[tuple[str, float]]) -> Values:
    """Average (patient, value) pairs within each patient, `[patients]` in the order of the pseudonyms.

    The sums are exact, so the order of the pairs changes no bit of the result.
    """
    grouped: dict[str, list[float]] = {}
    for patient, value in pairs:
        grouped.setdefault(patient, []).append(value)
    return np.array([math.fsum(grouped[p]) / len(grouped[p]) for p in sorted(grouped)], dtype=np.float64)


def estimate(values: Values, seed: int) -> Estimate:
    """Mean of one value a patient, with the BCa interval of it over resampled patients.

    `values` must not be empty. The interval of constant values is the value itself; one patient has none.
    Values that differ by rounding only (1e-12 of their size) count as constant.
    """
    first, mean = float(values[0]), math.fsum(values) / len(values)
    if len(values) == 1:
        return Estimate(first, None, None)
    if np.ptp(values) <= 1e-12 * np.abs(values).max():
        return Estimate(first, first, first)
    return Estimate(mean, *_interval(values, seed))


def _interval(values: Values, seed: int) -> tuple[float, float]:
    """Bias-corrected and accelerated (Efron 1987); the percentile interval where that is undefined."""
    for method in ("BCa", "percentile"):
        with warnings.catch_warnings(), np.errstate(invalid="ignore"):
            # Said where BCa is undefined, which the next turn of the loop answers.
            warnings.simplefilter("ignore", stats.DegenerateDataWarning)
            result = stats.bootstrap(
                (values,),
                np.mean,
                n_resamples=RESAMPLES,
                confidence_level=LEVEL,
                method=method,
                rng=np.random.default_rng(seed),
            )
        low, high = result.confidence_interval
        if math.isfinite(low) and math.isfinite(high):
            break
    return float(low), float(high)


def ranks(values: Sequence[float], higher_is_better: bool) -> list[float]:
    """Rank values from 1 = best; equal ones share the mean of their ranks. All must be finite."""
    signed = np.negative(values) if higher_is_better else np.asarray(values)
    return [float(rank) for rank in stats.rankdata(signed, method="average")]
