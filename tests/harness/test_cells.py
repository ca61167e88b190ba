"""What a run wants: units, records and cells, as data."""

import pickle
from dataclasses import replace
from typing import Any

import pytest

from tests.harness.in_memory import made_cases, one_case, prepared_run
from tests.harness.plugins import Again, Brightness, ClassMean, Mean, Stacked, Together
from xaibench.harness.cells import missing_cells, spread, units, wanted
from xaibench.harness.store.run_info import RunInfo, Scope


def info(count: int = 3, labels: tuple[int, ...] = (), **settings: Any) -> RunInfo:
    metrics = {"mean": Mean(), "again": Again(), "together": Together(), "class-mean": ClassMean()}
    cases = made_cases(count, labels=labels)
    return prepared_run({"a": Brightness(), "b": Stacked()}, metrics, cases, **settings).info


def test_units_are_each_case_the_cases_together_and_each_class() -> None:
    found = units(info())
    assert [(unit.scope, unit.id) for unit in found] == [
        (Scope.CASE, "P0-s00"),
        (Scope.CASE, "P1-s00"),
        (Scope.CASE, "P2-s00"),
        (Scope.BATCH, "cohort"),
        (Scope.CLASS, "class no"),
        (Scope.CLASS, "class yes"),
    ]
    everybody = ("P0-s00", "P1-s00", "P2-s00")
    assert [unit.cases for unit in found[3:]] == [everybody] * 3
    assert [unit.label for unit in found[3:]] == [None, 0, 1]


def test_missing_cells_are_those_with_records_that_are_not_there() -> None:
    every = list(wanted(info()))
    cells = missing_cells(info(), set())
    assert sum(len(cell.metrics) for cell in cells) == len(every) == 2 * (3 * 2 + 1 + 2)
    assert len(cells) == 2 * (3 + 1 + 2)
    finished = {record.key for record in every if record.metric != "again"}
    rest = missing_cells(info(), finished)
    assert {(cell.metrics, cell.unit.scope) for cell in rest} == {(("again",), Scope.CASE)}
    assert missing_cells(info(), {record.key for record in every}) == []


def test_a_cell_is_data_that_can_be_sent_anywhere() -> None:
    cells = missing_cells(info(), set())
    assert pickle.loads(pickle.dumps(cells)) == cells
    assert len(set(cells)) == len(cells)


def test_metrics_that_explain_again_take_six_patients_in_the_standard_preset() -> None:
    def patients(metric: str, preset: str) -> int:
        return len({r.unit.patient for r in wanted(info(10, preset=preset)) if r.metric == metric})

    assert patients("again", "standard") == 6
    assert patients("again", "paper") == 10
    assert patients("mean", "standard") == 10


def test_what_takes_time_is_measured_on_eight_patients_in_every_preset() -> None:
    for preset in ("smoke", "standard", "paper"):
        (together,) = [unit for unit in units(info(10, preset=preset)) if unit.scope is Scope.BATCH]
        assert together.cases == tuple(f"P{number}-s00" for number in range(8))


def test_a_patient_of_several_slices_is_timed_on_one() -> None:
    cases = [one_case(0), replace(one_case(0), id="P0-s01"), one_case(1)]
    prepared = prepared_run({"a": Brightness()}, {"together": Together()}, cases)
    (together,) = [unit for unit in units(prepared.info) if unit.scope is Scope.BATCH]
    assert together.cases == ("P0-s00", "P1-s00")


@pytest.mark.parametrize(
    ("labels", "at_most", "chosen"),
    [
        ((0, 0, 0, 1, 1), 2, ["P0", "P3"]),
        ((0, 0, 0, 1, 1), 4, ["P0", "P3", "P1", "P4"]),
        ((0, 0, 0, 0, 1), 4, ["P0", "P4", "P1", "P2"]),
        ((2, 0, 0, 1, 1), 3, ["P1", "P3", "P0"]),
        ((0, 1), 9, ["P0", "P1"]),
        ((0, 1, 0), None, ["P0", "P1", "P2"]),
    ],
)
def test_few_patients_are_spread_over_the_classes(
    labels: tuple[int, ...], at_most: int | None, chosen: list[str]
) -> None:
    cohort = info(len(labels), labels, class_names=("a", "b", "c")).cohort
    assert spread(cohort.cases, at_most) == chosen


def test_a_label_without_a_name_has_its_number() -> None:
    found = [unit.id for unit in units(info(2, labels=(0, 3))) if unit.scope is Scope.CLASS]
    assert found == ["class no", "class class 3"]
