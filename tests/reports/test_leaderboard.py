"""Who is ranked, over what, and in which direction."""

import csv
import io

import pytest

from tests.reports.made_up import METHODS, NASTY, info_of
from tests.reports.test_scores import records_of
from xaibench.api import Record, Status
from xaibench.harness.store.folder import RunFolder
from xaibench.reports import leaderboard_table
from xaibench.reports.pages.tables import leaderboard_markdown
from xaibench.reports.scoring.leaderboard import Leaderboard, Place, leaderboard_of
from xaibench.reports.scoring.scores import scores_of

Values = dict[str, dict[str, list[float | None]]]


def board_of(values: Values, controls: tuple[str, ...] = ()) -> Leaderboard:
    """Leaderboard of values given by method and metric, one case a patient."""
    metrics = sorted({metric for row in values.values() for metric in row})
    methods = {name: "control" if name in controls else "cam" for name in values}
    records = [
        r for name, row in values.items() for m, column in row.items() for r in records_of(m, column, name)
    ]
    info = info_of(methods, metrics, 2)
    return leaderboard_of(info, scores_of(info, records))


def order(board: Leaderboard) -> list[tuple[str, int | None]]:
    return [(s.method, s.rank) for s in board.standings]


def test_lower_is_better_metrics_are_read_as_such() -> None:
    board = board_of({"a": {"deletion-auc": [0.9, 0.9]}, "b": {"deletion-auc": [0.1, 0.1]}})
    assert order(board) == [("b", 1), ("a", 2)]


def test_order_is_the_mean_over_families_of_the_mean_rank_over_their_metrics() -> None:
    board = board_of(
        {
            "a": {"deletion-auc": [0.1, 0.1], "insertion-auc": [0.9, 0.9], "sensitivity-norm": [3.0, 3.0]},
            "b": {"deletion-auc": [0.2, 0.2], "insertion-auc": [0.8, 0.8], "sensitivity-norm": [2.0, 2.0]},
            "c": {"deletion-auc": [0.3, 0.3], "insertion-auc": [0.8, 0.8], "sensitivity-norm": [1.0, 1.0]},
        }
    )
    assert {s.method: dict(s.family_ranks) for s in board.standings} == {
        "a": {"faithfulness": 1.0, "robustness": 3.0},
        "b": {"faithfulness": 2.25, "robustness": 2.0},
        "c": {"faithfulness": 2.75, "robustness": 1.0},
    }
    # Counted over metrics instead of families, `a` would be alone in front.
    assert [(s.method, s.rank, s.mean_rank) for s in board.standings] == [
        ("c", 1, 1.875),
        ("a", 2, 2.0),
        ("b", 3, 2.125),
    ]


def test_methods_with_equal_mean_ranks_share_a_rank() -> None:
    same = {"deletion-auc": [0.5, 0.5]}
    board = board_of({"b": same, "a": same, "c": {"deletion-auc": [0.6, 0.6]}})
    assert order(board) == [("a", 1), ("b", 1), ("c", 3)]


def test_values_that_differ_by_rounding_only_share_a_rank() -> None:
    board = board_of({"a": {"deletion-auc": [0.3, 0.3]}, "b": {"deletion-auc": [0.3 + 1e-9, 0.3]}})
    assert order(board) == [("a", 1), ("b", 1)]


def test_incomplete_methods_are_shown_but_never_ranked_nor_do_they_shift_ranks() -> None:
    board = board_of(
        {
            "best": {"deletion-auc": [0.0, None]},
            "a": {"deletion-auc": [0.5, 0.5]},
            "b": {"deletion-auc": [0.6, 0.6]},
        }
    )
    assert order(board) == [("a", 1), ("b", 2), ("best", None)]
    assert board.standings[-1].place is Place.INCOMPLETE
    assert "1 of 2 cases failed" in board.standings[-1].note


def test_controls_stand_apart_and_shift_no_rank() -> None:
    board = board_of(
        {"a": {"deletion-auc": [0.5, 0.5]}, "mask": {"deletion-auc": [0.1, 0.1]}}, controls=("mask",)
    )
    assert order(board) == [("a", 1), ("mask", None)]


def test_metrics_that_one_complete_explainer_lacks_do_not_count() -> None:
    info = info_of({"a": "cam", "b": "cam"}, ["deletion-auc", "enrichment"], 2)
    records = [r for name in "ab" for r in records_of("deletion-auc", [0.5, 0.5], name)]
    records += records_of("enrichment", [2.0, 2.0], "a")
    records += [
        Record(f"P{i}-s0", f"P{i}", "b", "enrichment", Status.NOT_APPLICABLE, reason="no") for i in range(2)
    ]
    board = leaderboard_of(info, scores_of(info, records))
    assert board.metrics == ["deletion-auc"]
    assert board.left_out == {"enrichment": "not measured for b"}


def test_without_a_shared_metric_nobody_is_ranked() -> None:
    info = info_of({"a": "cam"}, ["class-consistency"], 2)
    records = [Record("class x", "cohort", "a", "class-consistency", Status.OK, 0.5)]
    board = leaderboard_of(info, scores_of(info, records))
    assert [(s.place, s.rank) for s in board.standings] == [(Place.UNRANKED, None)]


def test_places_of_a_whole_run(folder: RunFolder) -> None:
    board = leaderboard_table(folder)
    places = {s.method: s.place for s in board.standings}
    assert set(places) == set(METHODS)
    assert places["broken"] is Place.INCOMPLETE
    assert places["blind"] is Place.NOT_APPLICABLE
    assert [s.method for s in board.standings if s.place is Place.CONTROL] == ["edges", "mask", "random"]
    assert all(len(row) == len(board.header()) for row in board.rows())
    note = next(s.note for s in board.standings if s.method == "blind")
    assert note == "the method needs attention, which this model does not offer"


def test_csv_holds_ranks_then_values_with_intervals(folder: RunFolder) -> None:
    rows = list(csv.DictReader(io.StringIO((folder.path / "leaderboard.csv").read_text())))
    board = leaderboard_table(folder)
    assert [row["method"] for row in rows] == [s.method for s in board.standings]
    first = board.standings[0]
    assert rows[0]["rank"] == "1"
    assert float(rows[0]["rank.faithfulness"]) == pytest.approx(first.family_ranks["faithfulness"], rel=1e-5)
    assert float(rows[0]["deletion-auc.ci_low"]) < float(rows[0]["deletion-auc"])


def test_markdown_names_the_run_and_keeps_names_inside_their_cells(folder: RunFolder) -> None:
    text = (folder.path / "leaderboard.md").read_text()
    for word in ("recurrence", "phantom", "preset smoke", "xaibench 0.1.0", "One slice a patient"):
        assert word in text
    assert NASTY not in text
    assert "<" not in text
    columns = {line.replace("\\|", "").count("|") for line in text.splitlines() if line.startswith("| ")}
    assert len(columns) == 2, "each of the two tables has one number of columns"


def test_markdown_of_a_failed_run_is_whole() -> None:
    info = info_of({"a": "cam"}, ["deletion-auc"], 2)
    scores = scores_of(info, records_of("deletion-auc", [None, None], "a"))
    text = leaderboard_markdown(info, scores, leaderboard_of(info, scores), [])
    assert "| a | failed |" in text
    assert "nan" not in text.lower()
