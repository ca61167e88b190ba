"""The signed-rank test against every pattern of signs written out, scipy, and cohorts drawn again."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from xaibench.reports.scoring.signed_rank import (
    Alternative,
    detectable_effect,
    p_value,
    rank_biserial,
    smallest_p,
)

ALTERNATIVES: list[Alternative] = ["two-sided", "greater", "less"]
differences_of_patients = st.lists(st.integers(-6, 6).map(float), min_size=1, max_size=8).map(np.array)


def slow_p(differences: list[float], alternative: Alternative) -> float:
    """Wilcoxon 1945: the share of all patterns of signs whose sum of positive ranks is as far out."""
    sizes = [abs(d) for d in differences if d]
    ranks = [sum(s < size for s in sizes) + (sizes.count(size) + 1) / 2 for size in sizes]
    found = sum(rank for rank, d in zip(ranks, [d for d in differences if d], strict=True) if d > 0)
    sums = [
        sum(rank for rank, plus in zip(ranks, signs, strict=True) if plus)
        for signs in itertools.product([True, False], repeat=len(ranks))
    ]
    greater, less = (sum(s >= found for s in sums) / len(sums), sum(s <= found for s in sums) / len(sums))
    return min(1, {"two-sided": 2 * min(greater, less), "greater": greater, "less": less}[alternative])


@settings(deadline=None)
@given(differences=differences_of_patients, alternative=st.sampled_from(ALTERNATIVES))
def test_p_is_the_share_of_patterns_of_signs(differences: np.ndarray, alternative: Alternative) -> None:
    assert p_value(differences, alternative) == pytest.approx(slow_p(differences.tolist(), alternative))


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("n", [3, 12, 50, 51, 80])
def test_p_without_ties_is_scipys(n: int, alternative: Alternative) -> None:
    differences = np.random.default_rng(n).normal(0.2, 1, n)
    expected = stats.wilcoxon(differences, alternative=alternative).pvalue
    assert p_value(differences, alternative) == pytest.approx(expected)


def test_p_of_many_ties_is_near_scipys_approximation() -> None:
    differences = np.random.default_rng(0).integers(-3, 5, 50).astype(float)
    assert p_value(differences) == pytest.approx(stats.wilcoxon(differences).pvalue, rel=0.05)


@pytest.mark.parametrize("n", [0, 1, 2, 5, 28])
def test_patients_without_a_difference_have_p_one(n: int) -> None:
    for alternative in ALTERNATIVES:
        assert p_value(np.zeros(n), alternative) == 1


def test_rounding_neither_breaks_a_tie_nor_makes_a_difference() -> None:
    exact, noisy = np.array([3.0, -3, 3, 0, 6]), np.array([3.0, -3 - 1e-13, 3 + 1e-12, 1e-14, 6])
    assert p_value(noisy) == p_value(exact)
    assert rank_biserial(noisy).value == rank_biserial(exact).value


@pytest.mark.parametrize("n", range(1, 12))
def test_no_cohort_has_a_smaller_p_than_one_of_one_mind(n: int) -> None:
    differences = np.arange(1.0, n + 1)
    assert p_value(differences) == smallest_p(n)
    assert p_value(differences, "greater") == smallest_p(n, "greater") == 0.5**n


@settings(deadline=None)
@given(differences=differences_of_patients)
def test_effect_is_the_difference_of_the_shares_of_ranks(differences: np.ndarray) -> None:
    kept = differences[differences != 0]
    ranks = stats.rankdata(np.abs(kept))
    expected = (ranks[kept > 0].sum() - ranks[kept < 0].sum()) / ranks.sum() if len(kept) else 0
    found = rank_biserial(differences)
    assert found.value == pytest.approx(expected)
    if len(kept):
        assert found.low is not None
        assert found.high is not None
        assert -1 <= found.low < found.high <= 1
        assert found.low - 1e-9 <= found.value <= found.high + 1e-9
    else:
        assert (found.low, found.high, found.reason) == (None, None, "no pair differs")


def test_effect_of_equal_sizes_has_the_interval_of_a_share() -> None:
    found = rank_biserial(np.array([1.0, 1, 1, -1, 1, 1]))
    low, high = stats.beta.ppf(0.025, 5, 2), stats.beta.ppf(0.975, 6, 1)
    assert (found.value, found.low, found.high) == pytest.approx((4 / 6, 2 * low - 1, 2 * high - 1))


@pytest.mark.parametrize("n", [4, 8, 28])
@pytest.mark.parametrize(("shift", "spread"), [(0.0, 1.0), (0.5, 1.0), (1.0, 1.0), (1.0, 0.3)])
def test_interval_of_the_effect_holds_in_at_least_nine_of_ten_cohorts(
    n: int, shift: float, spread: float
) -> None:
    rng = np.random.default_rng(n)
    # In the population the share of positive ranks is the chance that the mean of two differences is positive.
    truth = 2 * stats.norm.cdf(shift / (spread / math.sqrt(2))) - 1
    found = [rank_biserial(rng.normal(shift, spread, n)) for _ in range(300)]
    held = sum(e.low <= truth <= e.high for e in found if e.low is not None and e.high is not None)
    assert held >= 0.9 * len(found)


@pytest.mark.parametrize(("n", "level"), [(6, 0.05), (8, 0.05), (28, 0.05), (28, 0.05 / 28), (60, 0.05)])
def test_detectable_effect_is_seen_in_four_of_five_cohorts(n: int, level: float) -> None:
    effect = detectable_effect(n, level)
    assert effect is not None
    cohorts = np.random.default_rng(99).normal(effect, 1, (2000, n))
    assert (stats.wilcoxon(cohorts, axis=1).pvalue <= level).mean() == pytest.approx(0.8, abs=0.03)


def test_detectable_effect_of_many_is_that_of_a_z_test_with_wilcoxons_efficiency() -> None:
    z_test = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) / math.sqrt(60)
    assert detectable_effect(60, 0.05) == pytest.approx(z_test / math.sqrt(3 / math.pi), rel=0.05)


@pytest.mark.parametrize(("n", "level"), [(0, 0.05), (1, 0.05), (5, 0.05), (8, 0.05 / 28)])
def test_too_few_patients_see_no_effect(n: int, level: float) -> None:
    assert detectable_effect(n, level) is None
