"""Coefficients of agreement: their definitions again, and the published examples."""

import itertools
import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from xaibench.reports.readers.agreement import (
    Coefficient,
    icc_2_1,
    krippendorff_alpha,
    over_patients,
    weighted_kappa,
)

ABSENT = math.nan
# Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, part C: four observers, twelve units; ordinal 0.815.
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, ABSENT, ABSENT, ABSENT],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, ABSENT, 3],
        [ABSENT, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, ABSENT],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, ABSENT],
    ]
).T
# Shrout and Fleiss 1979, tables 2 and 4: six targets, four judges; ICC(2,1) = 0.29.
SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float
)


def made_up(seed: int, units: int = 30, readers: int = 3, absent: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, 6, size=(units, 1))
    ratings = np.clip(truth + rng.integers(-1, 2, size=(units, readers)), 1, 5).astype(float)
    ratings[rng.random(ratings.shape) < absent] = ABSENT
    return ratings


def slow_alpha(ratings: np.ndarray) -> float:
    """Disagreement of all pairs within units over that of all pairs of the pairable values, one pair at a time."""
    units = [[v for v in row if not math.isnan(v)] for row in ratings]
    units = [unit for unit in units if len(unit) > 1]
    values = [v for unit in units for v in unit]

    def distance(c: float, k: float) -> float:
        low, high = min(c, k), max(c, k)
        between = sum(low <= v <= high for v in values)
        return (between - (values.count(c) + values.count(k)) / 2) ** 2

    observed = sum(
        distance(a, b) / (len(unit) - 1) for unit in units for a, b in itertools.permutations(unit, 2)
    )
    expected = sum(distance(a, b) for a, b in itertools.permutations(values, 2))
    return 1 - (len(values) - 1) * observed / expected


def slow_icc(ratings: np.ndarray) -> float:
    """Mean squares of the two-way analysis of variance, one sum at a time."""
    n, k = ratings.shape
    mean = sum(ratings.flat) / (n * k)
    rows = [sum(ratings[i]) / k for i in range(n)]
    columns = [sum(ratings[:, j]) / n for j in range(k)]
    bms = sum(k * (row - mean) ** 2 for row in rows) / (n - 1)
    jms = sum(n * (column - mean) ** 2 for column in columns) / (k - 1)
    left = [(ratings[i, j] - rows[i] - columns[j] + mean) ** 2 for i in range(n) for j in range(k)]
    ems = sum(left) / ((n - 1) * (k - 1))
    return (bms - ems) / (bms + (k - 1) * ems + k * (jms - ems) / n)


def test_alpha_is_the_published_one() -> None:
    assert round(krippendorff_alpha(KRIPPENDORFF), 3) == 0.815


@pytest.mark.parametrize("absent", [0.0, 0.3])
def test_alpha_follows_its_definition(absent: float) -> None:
    for seed in range(3):
        ratings = made_up(seed, units=10, absent=absent)
        assert krippendorff_alpha(ratings) == pytest.approx(slow_alpha(ratings))


def test_icc_is_the_published_one() -> None:
    assert round(icc_2_1(SHROUT_FLEISS), 2) == 0.29


def test_icc_follows_its_definition() -> None:
    for seed in range(5):
        ratings = made_up(seed)
        assert icc_2_1(ratings) == pytest.approx(slow_icc(ratings))


def test_icc_counts_a_reader_who_is_always_higher_as_disagreement() -> None:
    ratings = np.array([[1, 2], [2, 3], [3, 4], [4, 5]], dtype=float)
    # BMS = 10/3, JMS = 2, EMS = 0: (10/3) / (10/3 + 2 * 2 / 4)
    assert icc_2_1(ratings) == pytest.approx((10 / 3) / (10 / 3 + 1))


def test_kappa_is_the_published_one() -> None:
    # The examples of Maple's QuadraticWeightedKappa.
    first, second, third = (
        [9, 7, 8, 7, 6, 8, 3, 5, 10],
        [8, 8, 6, 6, 7, 6, 1, 4, 8],
        [3, 5, 6, 6, 7, 6, 1, 4, 8],
    )
    assert weighted_kappa(np.array([first, second], float).T) == pytest.approx(0.758620689655172)
    assert weighted_kappa(np.array([first, third], float).T) == pytest.approx(0.438095238095238)


def test_kappa_is_the_mean_of_scikit_learns_over_pairs() -> None:
    ratings = made_up(3)
    expected = [
        cohen_kappa_score(a.astype(int), b.astype(int), labels=range(1, 6), weights="quadratic")
        for a, b in itertools.combinations(ratings.T, 2)
    ]
    assert weighted_kappa(ratings) == pytest.approx(np.mean(expected))


@pytest.mark.parametrize("statistic", [krippendorff_alpha, icc_2_1, weighted_kappa])
def test_one_is_perfect_and_equal_ratings_are_undefined(statistic) -> None:
    assert statistic(np.array([[1, 1], [3, 3], [5, 5]], float)) == pytest.approx(1)
    assert math.isnan(statistic(np.full((4, 2), 3.0)))


@pytest.mark.parametrize("statistic", [krippendorff_alpha, icc_2_1, weighted_kappa])
def test_unrelated_ratings_are_near_zero(statistic) -> None:
    unrelated = np.random.default_rng(0).integers(1, 6, size=(4000, 2)).astype(float)
    assert abs(statistic(unrelated)) < 0.05


def test_intervals_hold_the_value_and_keep_the_maps_of_a_patient_together() -> None:
    patients = np.repeat([f"P{n}" for n in range(10)], 3)
    found = over_patients(made_up(1), patients, krippendorff_alpha)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high
    # Copies of a patient's maps are no new patients: the interval stays.
    twice = over_patients(np.repeat(made_up(1), 2, axis=0), np.repeat(patients, 2), icc_2_1)
    once = over_patients(made_up(1), patients, icc_2_1)
    assert twice.low == pytest.approx(once.low, abs=0.02)


def test_one_patient_and_undefined_agreement_have_no_interval() -> None:
    assert over_patients(made_up(1, 4), np.array(["P1"] * 4), icc_2_1).low is None
    assert over_patients(np.full((4, 2), 3.0), np.array(["P1", "P2", "P3", "P4"]), icc_2_1) == Coefficient(
        None
    )
