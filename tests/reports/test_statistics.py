"""Intervals and ranks against scipy itself, a slow bootstrap written out, and cases known in advance."""

import random
from statistics import NormalDist, fmean

import numpy as np
import pytest
from scipy import stats

from xaibench.reports.scoring.statistics import RESAMPLES, Estimate, estimate, patient_means, ranks

SAMPLES = [
    np.random.default_rng(1).normal(size=7),
    np.random.default_rng(2).lognormal(sigma=1.5, size=28),
    np.array([0.0, 1, 1, 1, 1, 0, 1, 1]),
    np.array([0.2, 0.9]),
]


def slow_bca(values: np.ndarray, seed: int) -> tuple[float, float]:
    """Efron and Tibshirani 1993, eq. 14.9 to 14.15, one resample at a time."""
    n, normal = len(values), NormalDist()
    draws = np.random.default_rng(seed).integers(0, n, (RESAMPLES, n))
    means = [float(values[draw].mean()) for draw in draws]
    mean = float(values.mean())
    # Resampled means equal to the mean count half.
    share = sum((m < mean) + (m == mean) / 2 for m in means) / RESAMPLES
    bias = normal.inv_cdf(share)
    left_out = [fmean(np.delete(values, i)) for i in range(n)]
    gaps = [fmean(left_out) - each for each in left_out]
    acceleration = sum(g**3 for g in gaps) / (6 * sum(g**2 for g in gaps) ** 1.5)
    ends = []
    for level in (0.025, 0.975):
        shifted = bias + normal.inv_cdf(level)
        ends.append(normal.cdf(bias + shifted / (1 - acceleration * shifted)))
    low, high = np.quantile(means, ends)
    return float(low), float(high)


@pytest.mark.parametrize("values", SAMPLES)
def test_interval_is_that_of_a_bootstrap_written_out(values: np.ndarray) -> None:
    found = estimate(values, seed=3)
    assert found.mean == pytest.approx(fmean(values))
    assert (found.low, found.high) == pytest.approx(slow_bca(values, 3), rel=1e-6)


@pytest.mark.parametrize("values", SAMPLES)
def test_interval_is_that_of_scipy_with_the_same_seed(values: np.ndarray) -> None:
    reference = stats.bootstrap((values,), np.mean, n_resamples=2000, rng=np.random.default_rng(5))
    found = estimate(values, seed=5)
    assert (found.low, found.high) == pytest.approx(tuple(reference.confidence_interval))


def test_interval_covers_the_true_mean_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    found = [estimate(rng.normal(loc=2.0, size=28), seed) for seed in range(150)]
    covered = fmean(float(e.low is not None and e.high is not None and e.low <= 2 <= e.high) for e in found)
    assert 0.88 <= covered <= 0.99


@pytest.mark.parametrize("value", [0.0, 0.1, -3.7])
def test_interval_of_constant_values_is_the_value(value: float) -> None:
    found = estimate(np.full(9, value), seed=0)
    assert found == Estimate(value, value, value)


def test_values_that_differ_by_rounding_only_count_as_constant() -> None:
    found = estimate(np.array([0.1 + 0.2, 0.3, 0.3]), seed=0)
    assert found.low == found.high == found.mean


def test_one_patient_has_no_interval() -> None:
    assert estimate(np.array([0.4]), seed=0) == Estimate(0.4, None, None)


def test_interval_is_the_percentile_one_where_bca_is_undefined() -> None:
    # The squares of such small values vanish, and with them the acceleration's denominator.
    values = 1e-200 * SAMPLES[0]
    draws = np.random.default_rng(0).integers(0, len(values), (RESAMPLES, len(values)))
    found = estimate(values, 0)
    assert (found.low, found.high) == pytest.approx(
        tuple(np.quantile(values[draws].mean(axis=1), [0.025, 0.975])), rel=1e-9, abs=0
    )


def test_cases_are_averaged_within_a_patient_first() -> None:
    pairs = [("P2", 10.0), ("P1", 0.0), ("P1", 1.0), ("P1", 2.0)]
    assert patient_means(pairs).tolist() == [1.0, 10.0]


def test_order_of_the_cases_changes_no_bit() -> None:
    pairs = [
        (f"P{i % 3}", value) for i, value in enumerate(np.random.default_rng(0).normal(size=30).tolist())
    ]
    shuffled = random.Random(1).sample(pairs, len(pairs))
    assert patient_means(pairs).tobytes() == patient_means(shuffled).tobytes()


@pytest.mark.parametrize(("higher", "expected"), [(True, [3.5, 1, 2, 3.5]), (False, [1.5, 4, 3, 1.5])])
def test_ties_share_the_mean_of_their_ranks(higher: bool, expected: list[float]) -> None:
    assert ranks([0.1, 0.9, 0.5, 0.1], higher) == expected


@pytest.mark.parametrize("higher", [True, False])
def test_ranks_agree_with_counting(higher: bool) -> None:
    values = np.random.default_rng(0).integers(0, 5, 12).astype(float).tolist()
    sign = 1 if higher else -1
    counted = [1 + sum(sign * o > sign * v for o in values) + (values.count(v) - 1) / 2 for v in values]
    assert ranks(values, higher) == counted
