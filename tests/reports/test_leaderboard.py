"""Who is ranked, over what, and what the tables say of it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.reports.made_up import METHODS, NASTY, case_info, info_of
from tests.reports.records import Values, around, records_of, results_of
from xaibench.api import Record, Status
from xaibench.harness.store.folder import RunFolder
from xaibench.reports import leaderboard_table
from xaibench.reports.pages.frames import csv_text, patients_frame, scores_frame
from xaibench.reports.pages.markdown import leaderboard_markdown
from xaibench.reports.scoring.leaderboard import Leaderboard, State, ranked_metrics
from xaibench.reports.scoring.results import Results, read


def board_of(values: Values) -> Leaderboard:
    return results_of(values).board


def places(board: Leaderboard) -> dict[str, str]:
    return {line.method: line.place for line in board.lines}


def test_trap_10_lower_is_better_metrics_are_read_as_such() -> None:
    values = {"a": {"sensitivity-norm": around(0.9)}, "b": {"sensitivity-norm": around(0.1)}}
    assert [line.method for line in board_of(values).lines] == ["b", "a"]


def test_clear_differences_give_places_of_their_own() -> None:
    values = {name: {"morf-lerf": around(0.1 * (5 - n), 30)} for n, name in enumerate("abc")}
    assert places(board_of(values)) == {"a": "1", "b": "2", "c": "3"}


def test_trap_33_methods_that_the_patients_cannot_tell_apart_share_a_place() -> None:
    rng = np.random.default_rng(0)
    values = {name: {"morf-lerf": rng.normal(size=12).tolist()} for name in "abc"}
    assert set(places(board_of(values)).values()) == {"1-3"}


def test_metrics_of_one_fact_count_as_one() -> None:
    # One fact of faithfulness and one of robustness; a third metric of the first fact would shift the mean.
    values = {
        "a": {"morf-lerf": around(0.9), "sensitivity-norm": around(0.9)},
        "b": {"morf-lerf": around(0.1), "sensitivity-norm": around(0.1)},
    }
    board = board_of(values)
    assert {line.standing.mean_rank for line in board.ranked if line.standing} == {1.5}
    assert board.facts == {
        "order of the pixels": ["morf-lerf"],
        "unchanged under noise": ["sensitivity-norm"],
    }


def test_cost_is_an_axis_of_its_own() -> None:
    values = {
        "a": {"morf-lerf": around(0.9), "latency": around(9000)},
        "b": {"morf-lerf": around(0.1), "latency": around(1)},
    }
    board = board_of(values)
    assert [line.method for line in board.ranked] == ["a", "b"]
    assert board.families == ("faithfulness",)
    assert board.lines[0].latency is not None


def test_incomplete_methods_are_shown_but_never_ranked_nor_do_they_shift_ranks() -> None:
    values: Values = {
        "best": {"morf-lerf": [0.99, *[None] * 11]},
        "a": {"morf-lerf": around(0.5)},
        "b": {"morf-lerf": around(0.4)},
    }
    board = board_of(values)
    assert places(board) == {"a": "1", "b": "2", "best": "-"}
    assert board.lines[-1].state is State.INCOMPLETE
    assert (
        board.lines[-1].note == "misses 92 % of the cases of morf-lerf: 11 of 12 cases failed: ValueError: no"
    )


def test_controls_stand_apart_and_shift_no_rank() -> None:
    board = board_of({"a": {"morf-lerf": around(0.5)}, "mask": {"morf-lerf": around(0.9)}})
    assert places(board) == {"a": "1", "mask": "-"}


def test_without_a_shared_metric_nobody_is_ranked() -> None:
    board = board_of({"a": {"latency": [1.0, 2.0]}})
    assert [(line.state, line.place) for line in board.lines] == [(State.UNRANKED, "-")]


def test_a_method_without_meaning_here_says_why() -> None:
    info = info_of({"a": "cam", "b": "cam"}, ["gini", "morf-lerf"], 6)
    records = records_of("gini", around(0.5, 6), "a") + records_of("morf-lerf", around(0.5, 6), "a")
    records += [
        replace(record, status=Status.NOT_APPLICABLE, reason="the model has no maps")
        for record in records_of("morf-lerf", [None] * 6, "b")
    ]
    line = Results(info, records, {}).board.lines[-1]
    assert (line.method, line.state, line.note) == ("b", State.NOT_APPLICABLE, "the model has no maps")


def test_cases_of_a_patient_are_averaged_before_they_are_ranked() -> None:
    cases = [case_info(0), case_info(0).model_copy(update={"id": "P000-s99"}), case_info(1)]
    records = [
        Record(case.id, case.patient, method, "morf-lerf", Status.OK, value=value)
        for method, values in (("a", (0.2, 0.8, 0.1)), ("b", (0.4, 0.5, 0.3)))
        for case, value in zip(cases, values, strict=True)
    ]
    run = Results(info_of({"a": "cam", "b": "cam"}, ["morf-lerf"], cases), records, {})
    (metric,) = ranked_metrics(run.info, run.cells, run.comparable)
    np.testing.assert_allclose(metric.values, [[0.5, 0.1], [0.45, 0.3]])


def test_states_of_a_made_up_run(folder: RunFolder) -> None:
    board = leaderboard_table(folder)
    states = {line.method: line.state for line in board.lines}
    assert set(states) == set(METHODS)
    assert (states["broken"], states["blind"]) == (State.INCOMPLETE, State.NOT_APPLICABLE)
    assert [line.method for line in board.lines if line.state is State.CONTROL] == ["edges", "mask", "random"]
    assert all(len(row) == len(board.header()) for row in board.rows())
    header, rows = board.narrow()
    assert all(len(row) == len(header) for row in rows)
    assert not {row[0] for row in rows} & {"-"}, "a place, or why there is none"
    fewer, short = board.narrow(families=False)
    assert fewer == ["place", "method", "mean rank", "first in", "latency"]
    assert [row[:3] + row[-2:] for row in rows] == short
    note = next(line.note for line in board.lines if line.method == "blind")
    assert note == "the method needs attention, which this model does not offer"


# ------------------------------------------------------------------ files


def table_of(folder: RunFolder, name: str) -> pd.DataFrame:
    return pd.read_csv(folder.path / name, na_values=["-"], keep_default_na=False)


def test_scores_csv_is_tidy(folder: RunFolder) -> None:
    found = table_of(folder, "scores.csv")
    expected = "method,metric,class,subset,aggregate,value,low,high,n_patients,n_cases,n_failed,status,reason"
    assert ",".join(found.columns) == expected
    assert not found.duplicated(["method", "metric", "class", "subset"]).any()
    assert set(found["class"]) == {"all", "non-recurrent", "recurrent"}
    row = found[
        (found.method == "grad-cam") & (found.metric == "morf-lerf") & (found["class"] == "all")
    ].iloc[0]
    score = read(folder).scores["grad-cam", "morf-lerf"]
    assert row.value == pytest.approx(score.value, rel=1e-5)
    assert row.low == pytest.approx(score.low, rel=1e-5)


def test_every_curve_and_co_localisation_stands_by_class(folder: RunFolder) -> None:
    found = table_of(folder, "scores.csv")
    for metric in ("morf-lerf", "deletion-auc", "enrichment", "pointing-game"):
        of_metric = found[(found.metric == metric) & (found.subset == "all")]
        assert set(of_metric["class"]) == {"all", "non-recurrent", "recurrent"}, metric


def test_trap_06_patients_csv_holds_what_the_scores_are_made_from(folder: RunFolder) -> None:
    patients, scores = table_of(folder, "patients.csv"), table_of(folder, "scores.csv")
    assert not patients.duplicated(["patient", "method", "metric"]).any()
    own = patients[(patients.method == "lime") & (patients.metric == "morf-lerf")]
    row = scores[
        (scores.method == "lime") & (scores.metric == "morf-lerf") & (scores["class"] == "all")
    ].iloc[0]
    assert own.value.mean() == pytest.approx(row.value, rel=1e-5)
    assert own.value.nunique() == len(own) == row.n_patients
    assert "morf-lerf.gain" in set(patients.metric)


def test_no_cell_of_a_file_is_empty_or_nan(folder: RunFolder) -> None:
    for name in ("scores.csv", "patients.csv", "leaderboard.csv"):
        text = (folder.path / name).read_text()
        assert ",," not in text, name
        assert not pd.read_csv(folder.path / name).isna().any().any(), name


def test_leaderboard_csv_holds_places_then_values_with_intervals(folder: RunFolder) -> None:
    found, board = table_of(folder, "leaderboard.csv"), leaderboard_table(folder)
    assert found.method.tolist() == [line.method for line in board.lines]
    first, standing = found.iloc[0], board.lines[0].standing
    assert standing is not None
    assert (first.place, first.last_place) == (standing.place, standing.last_place)
    assert first["rank.faithfulness"] == pytest.approx(standing.family_ranks["faithfulness"], rel=1e-5)
    assert first["morf-lerf.low"] < first["morf-lerf"] < first["morf-lerf.high"]


def test_numbers_are_written_with_six_digits_and_no_negative_zero() -> None:
    frame = pd.DataFrame({"a": [1 / 3, -0.0, np.nan], "b": ["x", "y", "z"]})
    assert csv_text(frame) == "a,b\n0.333333,x\n0,y\n-,z\n"


def test_a_run_without_any_value_has_its_files() -> None:
    run = results_of({"a": {"morf-lerf": [None, None]}})
    assert set(scores_frame(run.by_group).status) == {"failed"}
    assert patients_frame(run.cells).empty
    text = leaderboard_markdown(run, [])
    assert "| a | failed |" in text
    assert "nan" not in text.lower()


def test_markdown_names_the_run_and_keeps_names_inside_their_cells(folder: RunFolder) -> None:
    text = (folder.path / "leaderboard.md").read_text()
    for word in ("recurrence", "phantom", "preset smoke", "xaibench 0.1.0", "One slice a patient"):
        assert word in text
    assert NASTY not in text
    assert "<" not in text
    columns = {line.replace("\\|", "").count("|") for line in text.splitlines() if line.startswith("| ")}
    assert len(columns) == 2, "each of the two tables has one number of columns"
