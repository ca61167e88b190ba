"""Which entries are ranked together, and that their places come from the patients they share."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.reports.board.made_up_board import added, forged, made_run
from tests.reports.made_up import Plan
from xaibench.harness.store.folder import RunFolder
from xaibench.reports.board.contents import contents, pages
from xaibench.reports.board.entry import Row
from xaibench.reports.board.folder import withdraw
from xaibench.reports.board.together import Together, ranked_together
from xaibench.reports.scoring.leaderboard import State
from xaibench.reports.scoring.results import read

PLAN = Plan(patients=5, metrics=("morf-lerf", "gini", "sensitivity-norm", "throughput"))
FIRST, SECOND = ["lime", "grad-cam", "random"], ["occlusion", "stacked-feature-maps", "random"]


def groups_of(board: Path) -> list[Together]:
    (page,) = pages(contents(board))
    return ranked_together(page)


def standings(found: Any) -> dict[str, tuple[str, str]]:
    return {
        line.method: (line.place, f"{line.standing.mean_rank:.6f}")
        for line in found.board.ranked
        if line.standing
    }


@pytest.fixture
def both(tmp_path: Path) -> Path:
    """Board of two runs of different methods on the same patients."""
    for name, methods in {"first": FIRST, "second": SECOND}.items():
        added(made_run(tmp_path / name, PLAN, methods), tmp_path / "board")
    return tmp_path / "board"


def test_two_entries_rank_as_one_run_of_all_methods(both: Path, tmp_path: Path) -> None:
    (group,) = groups_of(both)
    folder = made_run(tmp_path / "all", PLAN, sorted({*FIRST, *SECOND}))
    assert standings(group) == standings(read(folder))
    assert len(standings(group)) == 4
    folder.close()


def test_a_method_of_two_entries_that_agree_is_one_row_of_both(both: Path) -> None:
    (group,) = groups_of(both)
    assert [one.short for one in group.origins["random"]] == [one.short for one in group.posted]
    assert len(group.info.methods) == 5


def test_a_method_of_two_entries_that_disagree_is_two_rows(both: Path) -> None:
    def better(section: dict[str, Any], rows: list[Row]) -> list[Row]:
        return [
            row.model_copy(update={"score": 0.99}) if (row.method, row.metric) == ("lime", "gini") else row
            for row in rows
        ]

    first = next(path for path in sorted((both / "entries").glob("*.json")) if '"lime"' in path.read_text())
    new = forged(first, better)
    (group,) = groups_of(both)
    twice = [name for name in group.info.methods if name.startswith("lime")]
    assert len(twice) == 2
    assert {one.id for name in twice for one in group.origins[name]} == {first.stem, new.stem}


def changed_metric(field: str, value: Any) -> Any:
    def change(section: dict[str, Any], rows: list[Row]) -> list[Row]:
        section["metrics"]["gini"][field] = value
        return rows

    return change


@pytest.mark.parametrize(
    ("field", "value"),
    [("code", "other"), ("parameters", {"seed": 1}), ("higher_is_better", False), ("ranked", "another fact")],
)
def test_other_metrics_are_never_ranked_together(field: str, value: Any, both: Path) -> None:
    _, second = sorted((both / "entries").glob("*.json"))
    forged(second, changed_metric(field, value), instead=True)
    assert [len(group.posted) for group in groups_of(both)] == [1, 1]


def test_a_withdrawn_entry_is_ranked_nowhere(both: Path) -> None:
    path = min((both / "entries").glob("*.json"))
    withdraw(path, "the masks were wrong")
    (group,) = groups_of(both)
    assert [one.id for one in group.posted] != [path.stem]
    assert len(group.posted) == 1


def without(rows: Sequence[Row], method: str, metric: str) -> list[Row]:
    return [row for row in rows if (row.method, row.metric) != (method, metric)]


def test_a_method_without_a_metric_that_the_others_have_is_apart(both: Path) -> None:
    path = next(p for p in sorted((both / "entries").glob("*.json")) if '"lime"' in p.read_text())
    forged(path, lambda section, rows: without(rows, "lime", "gini"), instead=True)
    (group,) = groups_of(both)
    line = next(line for line in group.board.lines if line.method == "lime")
    assert line.state is State.INCOMPLETE
    assert "misses 100 % of the cases of gini" in line.note
    gaps = [one.gaps for one in group.posted]
    assert sorted(gaps) == ["", "5 scores not computed"]


def test_other_patients_and_other_models_have_pages_of_their_own(tmp_path: Path) -> None:
    board = tmp_path / "board"
    added(made_run(tmp_path / "a", PLAN, FIRST), board)
    added(made_run(tmp_path / "b", replace(PLAN, patients=4), FIRST), board)
    added(made_run(tmp_path / "c", PLAN, FIRST, key="another model"), board)
    assert [len(page) for page in pages(contents(board))] == [1, 1, 1]


def test_times_of_two_machines_do_not_make_a_method_two(tmp_path: Path) -> None:
    board = tmp_path / "board"
    path = added(made_run(tmp_path / "a", PLAN, FIRST), board)

    def slower(section: dict[str, Any], rows: list[Row]) -> list[Row]:
        section["machine"]["cpu"] = "another"
        return [r.model_copy(update={"score": 9.0}) if r.metric == "throughput" else r for r in rows]

    forged(path, slower)
    (group,) = groups_of(board)
    assert sorted(group.info.methods) == sorted(FIRST)


def test_the_made_up_run_is_read_as_it_was(made: RunFolder, tmp_path: Path) -> None:
    from xaibench.reports.board.folder import add

    add(made, tmp_path)
    (group,) = groups_of(tmp_path)
    own = read(made).board
    assert [(line.method, line.place, line.state) for line in group.board.lines] == [
        (line.method, line.place, line.state) for line in own.lines
    ]
