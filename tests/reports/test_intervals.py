"""Intervals against slow versions written out, closed forms, and how often they hold the true value."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean, median, stdev

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from xaibench.reports.scoring.intervals import Aggregate, Interval, estimate, patient_means

COHORTS = 200
INF = math.inf
SHARE = (0.0, 1.0)
SKEWED = np.random.default_rng(2).lognormal(sigma=1.5, size=9)


def slow_bootstrap_t(values: list[float]) -> tuple[float, float]:
    """Efron and Tibshirani 1993, sec. 12.5, one draw at a time, with the limits that the docstring names."""
    n, mean, error = len(values), fmean(values), stdev(values) / math.sqrt(len(values))
    ratios = []
    for counts in np.random.default_rng(n).multinomial(n, [1 / n] * n, 2000):
        drawn = [v for v, count in zip(sorted(values), counts, strict=True) for _ in range(count)]
        gap, drawn_error = fmean(drawn) - mean, stdev(drawn) / math.sqrt(n)
        equal = drawn_error < 1e-12
        ratios.append(gap / drawn_error if not equal else 1e9 * gap if abs(gap) > 1e-12 else 0.0)
    low, high = np.quantile(ratios, [0.02, 0.98])
    student = stats.t.ppf(0.975, n - 1)
    widths = [min(max(end, student), 4 * student) * error for end in (high, -low)]
    return mean - widths[0], mean + widths[1]


@pytest.mark.parametrize(
    "values", [SKEWED, -SKEWED, np.arange(5.0), np.random.default_rng(1).normal(size=28)]
)
def test_interval_of_a_mean_is_the_bootstrap_t_written_out(values: np.ndarray) -> None:
    found = estimate(values)
    assert found.value == pytest.approx(fmean(values))
    assert (found.low, found.high) == pytest.approx(slow_bootstrap_t(values.tolist()))


@pytest.mark.parametrize("others", [6, 27])
def test_one_different_patient_does_not_send_the_interval_to_infinity(others: int) -> None:
    values = np.append(np.linspace(0.4999, 0.5001, others), 0.9)
    found = estimate(values, bounds=(0.0, INF))
    student = stats.t.ppf(0.975, others) * stats.sem(values)
    assert found.high == pytest.approx(values.mean() + 4 * student)


def test_interval_of_a_mean_stays_where_some_distribution_within_the_bounds_has_it() -> None:
    values = np.array([0, 0, 0, 0, 0, 0.2])
    inside, free = estimate(values, bounds=SHARE), estimate(values)
    weights = np.random.default_rng(6).dirichlet(np.ones(7), 2000)
    assert inside.low == pytest.approx(np.quantile(weights[:, 5] * 0.2, 0.025))
    assert inside.high == free.high
    assert free.low is not None
    assert free.low < 0


@pytest.mark.parametrize("hits", range(5))
@pytest.mark.parametrize("aggregate", ["share", "mean"])
def test_interval_of_hits_is_clopper_and_pearsons(hits: int, aggregate: Aggregate) -> None:
    found = estimate(np.array([1.0] * hits + [0.0] * (4 - hits)), aggregate, SHARE)
    assert found.low == pytest.approx(stats.beta.ppf(0.025, hits, 5 - hits) if hits else 0)
    assert found.high == pytest.approx(stats.beta.ppf(0.975, hits + 1, 4 - hits) if hits < 4 else 1)


def test_hits_may_have_other_bounds() -> None:
    share, scaled = (
        estimate(np.array([0.0, 1, 1]), "share", SHARE),
        estimate(np.array([-2.0, 3, 3]), "mean", (-2.0, 3.0)),
    )
    assert share.low is not None
    assert share.high is not None
    assert (scaled.low, scaled.high) == pytest.approx((5 * share.low - 2, 5 * share.high - 2))


def test_median_of_hits_is_that_of_other_values() -> None:
    found = estimate(np.repeat([0.0, 1.0], [3, 5]), "median", SHARE)
    assert (found.value, found.low, found.high) == (1, 0, 1)


@pytest.mark.parametrize("values", [np.full(5, 1 + 1e-9), np.append(np.linspace(0.9, 1, 5), 1 + 1e-9)])
def test_values_beyond_a_bound_by_rounding_keep_their_interval(values: np.ndarray) -> None:
    found, inside = estimate(values, bounds=SHARE), estimate(np.minimum(values, 1), bounds=SHARE)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value <= found.high
    assert (found.low, found.high) == pytest.approx((inside.low, inside.high), abs=1e-6)


@pytest.mark.parametrize("aggregate", ["mean", "median", "share"])
@pytest.mark.parametrize("n", [2, 4, 28])
def test_constant_values_have_a_width(aggregate: Aggregate, n: int) -> None:
    found = estimate(np.full(n, 0.3), aggregate, SHARE)
    reach = 1 - 0.025 ** (1 / n)  # closed form: the bound's weight is beta(1, n)
    assert found.value == pytest.approx(0.3)
    assert (found.low, found.high) == pytest.approx((0.3 - 0.3 * reach, 0.3 + 0.7 * reach), abs=0.03)


@pytest.mark.parametrize("bounds", [(0.0, INF), (-INF, 0.0), (-INF, INF)])
@pytest.mark.parametrize("aggregate", ["mean", "median"])
@pytest.mark.parametrize("values", [np.zeros(6), np.array([0.1 + 0.2, 0.3, 0.3])])
def test_constant_values_without_bound_have_no_interval_but_a_reason(
    values: np.ndarray, aggregate: Aggregate, bounds: Interval
) -> None:
    found = estimate(values, aggregate, bounds)
    assert (found.low, found.high) == (None, None)
    assert (
        found.reason
        == f"all {len(values)} patients have the same value and there is no bound to it: no interval"
    )


def test_one_patient_has_no_interval_and_none_no_value() -> None:
    one, none = estimate(np.array([0.4]), "share", SHARE), estimate(np.array([]))
    assert (one.value, one.low, one.high, one.n) == (0.4, None, None, 1)
    assert one.reason == "one patient: no interval over patients"
    assert math.isnan(none.value)
    assert (none.low, none.n, none.reason) == (None, 0, "no patient has a value")


@pytest.mark.parametrize("n", [6, 7, 8, 9, 17, 28, 60])
def test_interval_of_a_median_is_that_of_scipys_quantile_test(n: int) -> None:
    values = np.random.default_rng(n).normal(size=n)
    found, reference = (
        estimate(values, "median"),
        stats.quantile_test(values, p=0.5).confidence_interval(0.95),
    )
    assert found.value == median(values)
    assert (found.low, found.high) == (reference.low, reference.high)


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_interval_of_a_median_of_few_is_students(n: int) -> None:
    values = SKEWED[:n]
    found = estimate(values, "median", (0.0, INF))
    low, high = stats.t.interval(0.95, n - 1, values.mean(), stats.sem(values))
    assert (found.low, found.high) == pytest.approx((max(0, low), high))


@pytest.mark.parametrize(
    ("rare", "expected"), [([7.0], (1, 7)), ([-7.0], (-7, 1)), ([-7.0, 7.0], (-7, 7)), ([2.0, 3.0], (1, 2))]
)
def test_ties_leave_the_interval_of_a_median_a_width(rare: list[float], expected: Interval) -> None:
    found = estimate(np.array([1.0] * 20 + rare), "median")
    assert (found.value, found.low, found.high) == (1, *expected)


values_of_patients = st.lists(st.integers(0, 8).map(lambda eighths: eighths / 8), min_size=2, max_size=12)


@settings(deadline=None)
@given(values=values_of_patients, aggregate=st.sampled_from(["mean", "median", "share"]))
def test_every_interval_has_a_width_within_the_bounds_around_its_value(
    values: list[float], aggregate: Aggregate
) -> None:
    found = estimate(np.array(values), aggregate, SHARE)
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low < found.high <= 1
    assert found.low <= found.value <= found.high


@given(
    values=values_of_patients, aggregate=st.sampled_from(["mean", "median", "share"]), seed=st.integers(0, 99)
)
def test_order_of_the_patients_changes_no_bit(values: list[float], aggregate: Aggregate, seed: int) -> None:
    shuffled = random.Random(seed).sample(values, len(values))
    assert estimate(np.array(shuffled), aggregate, SHARE) == estimate(np.array(values), aggregate, SHARE)


@pytest.mark.parametrize("scale", [1e-200, 1e-3, 1e200])
@pytest.mark.parametrize("n", [4, 9])
@pytest.mark.parametrize("aggregate", ["mean", "median"])
def test_unit_of_the_values_is_that_of_the_interval(scale: float, n: int, aggregate: Aggregate) -> None:
    found, scaled = estimate(SKEWED[:n], aggregate), estimate(scale * SKEWED[:n], aggregate)
    assert found.low is not None
    assert found.high is not None
    assert (scaled.low, scaled.high) == pytest.approx(
        (scale * found.low, scale * found.high), rel=1e-6, abs=0
    )


def test_cases_are_averaged_within_a_patient_first() -> None:
    pairs = [("P2", 10.0), ("P1", 0.0), ("P1", 1.0), ("P1", 2.0)]
    assert patient_means(pairs).tolist() == [1.0, 10.0]


def test_order_of_the_cases_changes_no_bit() -> None:
    drawn = np.random.default_rng(0).normal(size=30).tolist()
    pairs = [(f"P{i % 3}", value) for i, value in enumerate(drawn)]
    shuffled = random.Random(1).sample(pairs, len(pairs))
    assert patient_means(pairs).tobytes() == patient_means(shuffled).tobytes()


@dataclass(frozen=True)
class Population:
    """Patients to draw, and the figure that the interval should hold."""

    draw: Callable[[np.random.Generator, int], np.ndarray]
    truth: float
    aggregate: Aggregate
    bounds: Interval = (-INF, INF)


POPULATIONS = {
    "normal": Population(lambda rng, n: rng.normal(2, 1, n), 2, "mean"),
    "lognormal": Population(
        lambda rng, n: rng.lognormal(0, 0.75, n), math.exp(0.75**2 / 2), "mean", (0.0, INF)
    ),
    "beta near 0": Population(lambda rng, n: rng.beta(0.5, 5, n), 1 / 11, "mean", SHARE),
    "beta near 1": Population(lambda rng, n: rng.beta(9, 1, n), 0.9, "mean", SHARE),
    "70 % zeros": Population(lambda rng, n: rng.beta(2, 2, n) * (rng.random(n) < 0.3), 0.15, "mean", SHARE),
    "gain": Population(lambda rng, n: 2 * rng.beta(3, 2, n) - 1, 0.2, "mean", (-1.0, 1.0)),
    "hit 0.05": Population(lambda rng, n: rng.binomial(1, 0.05, n) / 1, 0.05, "share", SHARE),
    "hit 0.5": Population(lambda rng, n: rng.binomial(1, 0.5, n) / 1, 0.5, "share", SHARE),
    "hit 0.95": Population(lambda rng, n: rng.binomial(1, 0.95, n) / 1, 0.95, "share", SHARE),
    "hits of 4 slices": Population(
        lambda rng, n: rng.binomial(4, rng.beta(0.1, 1.9, n)) / 4, 0.05, "share", SHARE
    ),
    "ratio": Population(lambda rng, n: rng.lognormal(0, 1, n), 1, "median", (0.0, INF)),
    "ratio, heavy tail": Population(lambda rng, n: rng.lognormal(0, 2, n), 1, "median", (0.0, INF)),
    "exponential": Population(lambda rng, n: rng.exponential(1, n), math.log(2), "median", (0.0, INF)),
}


@pytest.mark.parametrize("n", [4, 8, 28])
@pytest.mark.parametrize("name", POPULATIONS)
def test_interval_holds_the_true_value_in_at_least_nine_of_ten_cohorts(name: str, n: int) -> None:
    population = POPULATIONS[name]
    rng = np.random.default_rng(n)
    held = 0
    for _ in range(COHORTS):
        found = estimate(population.draw(rng, n), population.aggregate, population.bounds)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= population.truth <= found.high
    assert held >= 0.9 * COHORTS
