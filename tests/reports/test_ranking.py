"""Ranks and places: counted out by hand, on cohorts whose order is known, and whatever the order of the input."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xaibench.reports.scoring.ranking import (
    RankedMetric,
    Ranking,
    pareto_front,
    rank_table,
    ranking_of,
    ranks_within_patients,
)

METHODS = ("a", "b", "c")


def metric(
    values: list[list[float]],
    family: str = "faithfulness",
    fact: str = "x",
    higher: bool = True,
    patients: str = "PQRS",
) -> RankedMetric:
    """Values by patient, in the order of METHODS."""
    return RankedMetric(family, fact, higher, tuple(patients[: len(values)]), np.array(values, dtype=float).T)


def ranked(*metrics: RankedMetric) -> Ranking:
    return ranking_of(rank_table(METHODS, metrics))


def mean_ranks(*metrics: RankedMetric) -> dict[str, float]:
    return {s.method: s.mean_rank for s in ranked(*metrics).standings}


@pytest.mark.parametrize("higher", [True, False])
def test_ranks_are_counted_within_each_patient_and_ties_share_their_mean(higher: bool) -> None:
    values = np.random.default_rng(0).integers(0, 4, (6, 9)).astype(float)
    sign = 1 if higher else -1
    counted = [
        [1 + sum(sign * o > sign * v for o in patient) + (list(patient).count(v) - 1) / 2 for v in patient]
        for patient in values.T
    ]
    assert ranks_within_patients(values, higher).T.tolist() == counted


def test_values_that_scores_csv_writes_alike_are_ties() -> None:
    values = np.array([[0.1234561, 1e9, 0.0], [0.12345612, 1e9 + 1, -0.0], [0.123457, 2e9, 1e-12]])
    assert ranks_within_patients(values, True).T.tolist() == [[2.5, 2.5, 1], [2.5, 2.5, 1], [2.5, 2.5, 1]]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_never_ranks_and_leaves_the_patient_out(bad: float) -> None:
    found = ranks_within_patients(np.array([[1.0, bad], [2.0, 3.0]]), True)
    assert found[:, 0].tolist() == [2, 1]
    assert np.isnan(found[:, 1]).all()


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 999), name=st.sampled_from(["cube", "exponential", "unit"]))
def test_a_monotone_change_of_the_values_changes_no_rank(seed: int, name: str) -> None:
    changes: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "cube": lambda v: v**3,
        "exponential": lambda v: np.exp(v / 4),
        "unit": lambda v: 25.4 * v - 7,
    }
    values = np.random.default_rng(seed).integers(-9, 10, (5, 6)).astype(float)
    changed = changes[name](values)
    for higher in (True, False):
        expected = ranks_within_patients(values, higher)
        assert (ranks_within_patients(changed, higher) == expected).all()
        assert (ranks_within_patients(-changed, not higher) == expected).all()


def test_ranks_are_averaged_over_patients_not_values() -> None:
    found = mean_ranks(metric([[0.9, 0.5, 0.1], [0.0, 0.2, 0.1], [0.3, 0.4, 0.2]]))
    assert found == pytest.approx({"a": 2, "b": 4 / 3, "c": 8 / 3})


def test_metrics_of_a_fact_count_as_one_and_facts_and_families_alike() -> None:
    down, up = [[3.0, 2, 1]] * 2, [[1.0, 2, 3]] * 2
    twice = (metric(down, fact="x"), metric(up, fact="x"), metric(down, fact="y"))
    assert mean_ranks(*twice) == pytest.approx({"a": 1.5, "b": 2, "c": 2.5})
    other_family = metric(up, "robustness", "z")
    found = ranked(*twice, other_family)
    assert {s.method: s.mean_rank for s in found.standings} == pytest.approx({"a": 2.25, "b": 2, "c": 1.75})
    best = found.standings[0]
    assert (best.method, best.family_ranks) == ("c", {"faithfulness": 2.5, "robustness": 1.0})


def test_each_fact_counts_alike_however_many_patients_have_it() -> None:
    one, four = metric([[3, 2, 1]], fact="x"), metric([[1, 2, 3]] * 4, fact="y")
    assert mean_ranks(one, four) == {"a": 2, "b": 2, "c": 2}


def test_a_patient_that_one_method_misses_counts_in_the_other_metrics() -> None:
    holes = metric([[3, 2, 1], [1, math.nan, 3]], fact="x")
    assert mean_ranks(holes) == {"a": 1, "b": 2, "c": 3}
    whole = metric([[1, 2, 3], [1, 2, 3]], fact="y")
    assert mean_ranks(holes, whole) == {"a": 2, "b": 2, "c": 2}
    nobody = metric([[math.nan, 1, 2]], fact="z", patients="Z")
    assert ranked(holes, whole, nobody).test.n == 2


def test_patients_are_matched_by_name() -> None:
    first = metric([[3, 2, 1], [1, 2, 3], [3, 1, 2]], fact="x", patients="PQR")
    second = metric([[3, 1, 2], [3, 2, 1], [1, 2, 3]], fact="y", patients="RPQ")
    table = rank_table(METHODS, (first, second))
    assert (table.ranks[0] == table.ranks[1]).all()


def test_methods_that_cannot_be_told_apart_share_a_place() -> None:
    found = ranked(metric([[3, 2, 1]] * 4))
    assert found.test.better.tolist() == [[False, False, True], [False] * 3, [False] * 3]
    assert [(s.method, s.place, s.last_place) for s in found.standings] == [
        ("a", 1, 2),
        ("b", 1, 3),
        ("c", 2, 3),
    ]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_hardly_any_patient_places_nobody(n: int) -> None:
    found = ranked(metric([[3, 2, 1]] * (n - 1) + [[3.0, 1, 2]]))
    assert {(s.place, s.last_place) for s in found.standings} == {(1, 3)}


def test_methods_that_tie_share_everything_and_one_method_stands_alone() -> None:
    found = ranked(metric([[1, 1, 1]] * 4))
    assert [(s.mean_rank, s.place, s.last_place) for s in found.standings] == [(2, 1, 3)] * 3
    (alone,) = ranking_of(
        rank_table(["a"], [RankedMetric("f", "x", True, ("P",), np.ones((1, 1)))])
    ).standings
    assert (alone.mean_rank, alone.place, alone.last_place) == (1, 1, 1)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 999))
def test_order_of_patients_metrics_and_methods_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names, patients = list("abcde"), list("PQRSTU")
    values = rng.normal(size=(3, 5, 6)) + np.arange(5)[:, None]
    methods, columns = rng.permutation(5), rng.permutation(6)

    def standings(
        chosen: np.ndarray, order: np.ndarray, shuffled: list[int]
    ) -> dict[str, tuple[float, int, int]]:
        metrics = [
            RankedMetric(
                "fg"[i % 2], "xyz"[i], i > 0, tuple(patients[j] for j in order), values[i][chosen][:, order]
            )
            for i in shuffled
        ]
        found = ranking_of(rank_table([names[m] for m in chosen], metrics))
        return {s.method: (s.mean_rank, s.place, s.last_place) for s in found.standings}

    assert standings(methods, columns, [2, 0, 1]) == standings(np.arange(5), np.arange(6), [0, 1, 2])


@pytest.mark.parametrize("n", [4, 28])
@pytest.mark.parametrize("quality", [[0.0] * 6, [1.0, 0, 0, 0, 0, 0], [2.0, 2, 2, 0, 0, 0]])
def test_true_places_lie_in_the_intervals_of_nineteen_in_twenty_cohorts(n: int, quality: list[float]) -> None:
    names = "abcdef"
    true = {name: 1 + sum(other > q for other in quality) for name, q in zip(names, quality, strict=True)}
    held = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        patients = tuple(str(i) for i in range(n))
        of_patient = rng.normal(size=(6, n))
        metrics = [
            RankedMetric(
                f, f, True, patients, np.array(quality)[:, None] + of_patient + rng.normal(size=(6, n))
            )
            for f in ("x", "y", "z")
        ]
        standings = ranking_of(rank_table(tuple(names), metrics)).standings
        held += all(s.place <= true[s.method] <= s.last_place for s in standings)
    assert held >= 0.95 * 60 - 2 * math.sqrt(0.05 * 0.95 * 60)


def test_pareto_front_is_what_no_other_beats_in_both() -> None:
    quality = np.array([1.0, 2, 3, 2, 4, 1, math.nan, 0.5])
    cost = np.array([9.0, 5, 5, 4, 1, 9, 0, math.nan])
    assert pareto_front(quality, cost).tolist() == [True, False, False, True, True, True, False, False]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=9))
def test_pareto_front_is_found_by_looking_at_all_pairs(points: list[tuple[int, int]]) -> None:
    beaten = [any(o != p and o[0] <= p[0] and o[1] <= p[1] for o in points) for p in points]
    quality, cost = np.array(points, dtype=float).T
    assert pareto_front(quality, cost).tolist() == [not each for each in beaten]
