"""Stability of the winner on cohorts whose winner is known."""

import math

import numpy as np
import pytest

from xaibench.reports.scoring.ranking import RankedMetric, RankTable, rank_table
from xaibench.reports.scoring.stability import stability_of

A_FIRST, B_FIRST, TIE = [3.0, 2.0, 1.0], [2.0, 3.0, 1.0], [2.0, 2.0, 1.0]


def table_of(**families: list[list[float]]) -> RankTable:
    """Values by patient of methods a, b and c; one metric a family."""
    metrics = [
        RankedMetric(family, family, True, tuple("PQRSTUVW"[: len(values)]), np.array(values).T)
        for family, values in families.items()
    ]
    return rank_table(["a", "b", "c"], metrics)


def test_a_method_first_in_every_patient_comes_first_in_every_draw() -> None:
    assert stability_of(table_of(x=[A_FIRST] * 4)).first == {"a": 1, "b": 0, "c": 0}


def test_methods_that_tie_share_every_draw() -> None:
    assert stability_of(table_of(x=[TIE] * 4)).first == {"a": 0.5, "b": 0.5, "c": 0}


def test_shares_are_the_chances_of_drawing_more_patients_of_one_mind() -> None:
    found = stability_of(table_of(x=[A_FIRST] * 3 + [B_FIRST] * 2)).first
    expected = sum(math.comb(5, k) * 0.6**k * 0.4 ** (5 - k) for k in (3, 4, 5))
    assert found["a"] == pytest.approx(expected, abs=0.04)
    assert found["a"] + found["b"] == pytest.approx(1)


def test_a_draw_without_a_patient_of_a_fact_goes_by_the_others() -> None:
    found = stability_of(table_of(x=[B_FIRST], y=[A_FIRST] * 8)).first
    drawn = 1 - (7 / 8) ** 8  # then x and y count alike, and a and b tie
    assert found["b"] == pytest.approx(drawn / 2, abs=0.03)
    assert found["a"] == pytest.approx(1 - drawn / 2, abs=0.03)


def test_the_winner_without_each_family_is_named() -> None:
    found = stability_of(table_of(x=[A_FIRST] * 3, y=[A_FIRST] * 2 + [B_FIRST], z=[B_FIRST] * 3))
    assert found.without == {"x": ("b",), "y": ("a", "b"), "z": ("a",)}


def test_nothing_is_left_without_the_only_family() -> None:
    assert stability_of(table_of(x=[A_FIRST])).without == {}
