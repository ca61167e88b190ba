"""Friedman's and Nemenyi's tests by permutation: their formulas, published values, cohorts without a difference."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from xaibench.reports.scoring.rank_test import RankTest
from xaibench.reports.scoring.rank_test import rank_test as by_parts

DEMSAR = {2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 6: 2.850, 7: 2.949, 8: 3.031, 9: 3.102, 10: 3.164}
"""Demsar 2006, table 5a: q for alpha = 0.05 by the number of methods."""


def in_order(k: int, n: int) -> np.ndarray:
    """All n patients rank k methods alike."""
    return np.tile(np.arange(1.0, k + 1)[:, None], n)


def rank_test(ranks: np.ndarray) -> RankTest:
    """Test ranks of patients who all count alike."""
    return by_parts(ranks / ranks.shape[1])


def drawn(seed: int, k: int, n: int) -> np.ndarray:
    return np.asarray(stats.rankdata(np.random.default_rng(seed).normal(size=(k, n)), axis=0))


@pytest.mark.parametrize("k", DEMSAR)
def test_critical_difference_of_complete_ranks_is_the_published_one(k: int) -> None:
    found = rank_test(in_order(k, 60)).critical_difference
    assert found == pytest.approx(DEMSAR[k] * math.sqrt(k * (k + 1) / (6 * 60)), rel=0.06)


@pytest.mark.parametrize("seed", range(5))
def test_p_of_complete_ranks_is_friedmans(seed: int) -> None:
    ranks = drawn(seed, 5, 9)
    found = rank_test(ranks)
    assert found.p == pytest.approx(stats.friedmanchisquare(*ranks).pvalue, abs=0.05)
    assert found.mean_ranks == pytest.approx(ranks.mean(axis=1))
    assert found.n == 9


def test_methods_in_one_order_are_told_apart_by_the_critical_difference() -> None:
    found = rank_test(in_order(5, 10))
    assert 1 < found.critical_difference < 2
    assert found.better.tolist() == [[j - i >= 2 for j in range(5)] for i in range(5)]
    assert found.groups == ((0, 1), (1, 2), (2, 3), (3, 4))


def test_groups_come_best_first_and_none_lies_within_another() -> None:
    ranks = in_order(6, 4)[[5, 0, 1, 2, 3, 4]]
    found = rank_test(ranks)
    assert 3 < found.critical_difference < 4
    assert found.groups == ((1, 2, 3, 4), (2, 3, 4, 5), (3, 4, 5, 0))


def test_no_pair_differs_where_friedman_finds_nothing() -> None:
    patients = ["451362", "264531", "142356", "561243", "652134", "234156", "462513", "341652"]
    found = rank_test(np.array([[float(rank) for rank in patient] for patient in patients]).T)
    assert found.p == pytest.approx(0.0931, abs=0.02)
    assert np.ptp(found.mean_ranks) > found.critical_difference
    assert not found.better.any()
    assert len(found.groups) == 1


@pytest.mark.parametrize(("n", "expected"), [(4, 0.125), (5, 0.0625), (6, 0.03125)])
def test_two_methods_are_tested_exactly(n: int, expected: float) -> None:
    found = rank_test(in_order(2, n))
    assert found.p == pytest.approx(expected, abs=0.01)
    assert found.better[0, 1] == (expected < 0.05)


@pytest.mark.parametrize(("k", "n"), [(1, 1), (1, 9), (2, 1), (3, 1), (8, 1), (40, 2)])
def test_one_method_or_hardly_any_patient_tells_nothing(k: int, n: int) -> None:
    found = rank_test(in_order(k, n) if k < 40 else drawn(0, k, n))
    assert not found.better.any()
    assert [sorted(group) for group in found.groups] == [list(range(k))]


def test_methods_that_tie_everywhere_do_not_differ() -> None:
    found = rank_test(np.full((4, 7), 2.5))
    assert found.p == 1
    assert found.groups == ((0, 1, 2, 3),)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 999), k=st.integers(2, 6), n=st.integers(1, 12))
def test_order_of_patients_and_methods_changes_nothing(seed: int, k: int, n: int) -> None:
    ranks, rng = drawn(seed, k, n), np.random.default_rng(seed)
    methods = rng.permutation(k)
    first, second = rank_test(ranks), rank_test(ranks[methods][:, rng.permutation(n)])
    assert second.p == pytest.approx(first.p)
    assert (second.better == first.better[np.ix_(methods, methods)]).all()


@pytest.mark.parametrize(("k", "n"), [(3, 4), (8, 4), (8, 28), (20, 8)])
def test_at_most_one_cohort_in_twenty_without_a_difference_finds_one(k: int, n: int) -> None:
    found = sum(rank_test(drawn(seed, k, n)).better.any() for seed in range(200))
    assert found <= 0.05 * 200 + 2 * math.sqrt(0.05 * 0.95 * 200)


def test_patients_who_count_more_move_the_test_as_they_move_the_mean() -> None:
    """One patient alone has the second fact, which is half of the mean: eleven who agree cannot outweigh that."""
    ranks = in_order(3, 12)
    equal = by_parts(ranks / 12)
    one = np.concatenate([ranks[:, :11] / 22, ranks[::-1, 11:] / 2], axis=1)
    heavy = by_parts(one)
    assert heavy.mean_ranks == pytest.approx([2, 2, 2])
    assert heavy.critical_difference > 1.2 > equal.critical_difference
    assert equal.better.any()
    assert not heavy.better.any()


@pytest.mark.parametrize("weight", [0.02, 0.5])
def test_level_holds_where_few_patients_carry_a_fact(weight: float) -> None:
    found = 0
    for seed in range(200):
        parts = drawn(seed, 8, 28) * np.where(np.arange(28) < 6, weight / 6, (1 - weight) / 22)
        found += bool(by_parts(parts).better.any())
    assert found <= 0.05 * 200 + 2 * math.sqrt(0.05 * 0.95 * 200)
