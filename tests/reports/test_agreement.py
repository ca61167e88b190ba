"""Agreement of metrics: against scipy's tau, on orders known in advance, and on few patients."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from xaibench.reports.scoring.agreement import agreements
from xaibench.reports.scoring.comparisons import holm
from xaibench.reports.scoring.intervals import estimate


def drawn(seed: int, k: int = 6, n: int = 9, ties: bool = False) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 3, (k, n)) if ties else rng.normal(size=(k, n))
    return np.asarray(stats.rankdata(values, axis=0))


@pytest.mark.parametrize("ties", [True, False])
def test_correlation_is_the_mean_over_patients_of_scipys_tau(ties: bool) -> None:
    first, second = drawn(1, ties=ties), drawn(2, ties=ties)
    (found,) = agreements({"a": first, "b": second})
    taus = [stats.kendalltau(first[:, i], second[:, i]).statistic for i in range(9)]
    assert (found.first, found.second) == ("a", "b")
    expected = estimate(np.array(taus), "mean", (-1.0, 1.0))
    assert found.correlation.value == pytest.approx(expected.value)
    assert (found.correlation.low, found.correlation.high) == pytest.approx((expected.low, expected.high))
    assert found.corrected_p == pytest.approx(stats.wilcoxon(taus, alternative="less").pvalue)


def test_families_that_order_the_methods_in_opposite_ways_contradict_each_other() -> None:
    order = np.tile(np.arange(1.0, 7)[:, None], 12)
    noise = 0.1 * np.random.default_rng(0).normal(size=order.shape)
    ranks = {
        "faithfulness": order,
        "co-localisation": stats.rankdata(3.5 - order + 10 * noise, axis=0),
        "robustness": stats.rankdata(order + 10 * noise, axis=0),
    }
    against, along, third = agreements(ranks)
    assert (against.first, against.second) == ("faithfulness", "co-localisation")
    assert against.contradict
    assert against.correlation.high is not None
    assert against.correlation.high < 0
    assert not along.contradict
    assert along.correlation.value > 0.5
    assert (third.first, third.second) == ("co-localisation", "robustness")


def test_pairs_are_corrected_together() -> None:
    ranks = {name: drawn(i) for i, name in enumerate("abcd")}
    alone = [
        agreements({c.first: ranks[c.first], c.second: ranks[c.second]})[0].corrected_p
        for c in agreements(ranks)
    ]
    assert [c.corrected_p for c in agreements(ranks)] == pytest.approx(holm(alone))


def test_patients_without_an_order_are_left_out() -> None:
    first, second = drawn(1), drawn(2)
    first[:, 0], second[:, 1] = np.nan, 3.5
    (found,) = agreements({"a": first, "b": second})
    (kept,) = agreements({"a": first[:, 2:], "b": second[:, 2:]})
    assert found == kept
    assert found.correlation.n == 7


@pytest.mark.parametrize("n", [0, 1, 2, 4])
def test_few_patients_contradict_nothing(n: int) -> None:
    order = np.tile(np.arange(1.0, 7)[:, None], n)
    (found,) = agreements({"a": order, "b": 7 - order})
    assert found.correlation.n == n
    assert not found.contradict
    assert math.isnan(found.correlation.value) or found.correlation.value == -1


def test_six_patients_of_one_mind_contradict_as_interval_and_test_are_both_below_zero() -> None:
    order = np.tile(np.arange(1.0, 7)[:, None], 6)
    six, five = (agreements({"a": found, "b": 7 - found})[0] for found in (order, order[:, 1:]))
    assert six.contradict
    assert five.corrected_p < 0.05
    assert not five.contradict


def test_one_metric_has_nothing_to_agree_with() -> None:
    assert agreements({"a": drawn(0)}) == ()


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 999), k=st.integers(2, 6), n=st.integers(1, 8))
def test_order_of_patients_and_methods_changes_nothing(seed: int, k: int, n: int) -> None:
    ranks, rng = (
        {"a": drawn(seed, k, n, ties=True), "b": drawn(seed + 1, k, n, ties=True)},
        np.random.default_rng(seed),
    )
    methods, patients = rng.permutation(k), rng.permutation(n)
    (first,) = agreements(ranks)
    (second,) = agreements({name: found[methods][:, patients] for name, found in ranks.items()})
    assert second.corrected_p == pytest.approx(first.corrected_p)
    assert second.correlation.value == pytest.approx(first.correlation.value, nan_ok=True)
    assert second.correlation.n == first.correlation.n
