"""The commands of `xaibench leaderboard`, and the workflow that a board is made with."""

import re
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from tests.reports.board.made_up_board import Plan, made_run
from xaibench.api import XaibenchError
from xaibench.cli.app import app
from xaibench.reports.board.contents import contents


def command(*arguments: object) -> str:
    """What a command prints; whatever it raises is raised here."""
    done = CliRunner().invoke(app, ["leaderboard", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def run(tmp_path: Path) -> Path:
    plan = Plan(patients=2, metrics=("gini", "throughput"))
    made_run(tmp_path / "run", plan, ["lime", "random"]).close()
    return tmp_path / "run"


def test_a_board_is_made_filled_built_and_an_entry_withdrawn(run: Path, tmp_path: Path) -> None:
    board = tmp_path / "board"
    assert "leaderboard.yml" in command("init", board)
    assert "Added" in command("add", run, "--board", board)
    assert "Already there" in command("add", run, "--board", board)
    (entry,) = [path for path in (board / "entries").glob("*.json") if "." not in path.stem]
    before = entry.read_bytes()
    assert "Withdrawn" in command("withdraw", entry, "--reason", "wrong masks")
    assert entry.read_bytes() == before
    assert "index.html" in command("build", board)
    assert "wrong masks" in (board / "site" / "index.html").read_text()
    assert [one.withdrawal is not None for one in contents(board)] == [True]
    with pytest.raises(XaibenchError, match="is withdrawn already"):
        command("withdraw", entry, "--reason", "again")
    with pytest.raises(XaibenchError, match="is there already"):
        command("init", board)


def test_what_is_no_board_and_no_entry_is_told(run: Path, tmp_path: Path) -> None:
    with pytest.raises(XaibenchError, match="holds no entry"):
        command("build", tmp_path)
    with pytest.raises(XaibenchError, match="is no entry"):
        command("withdraw", run / "run.json", "--reason", "x")
    with pytest.raises(XaibenchError, match="holds no run"):
        command("add", tmp_path / "nothing", "--board", tmp_path)
    command("add", run, "--board", tmp_path / "b")
    (entry,) = (tmp_path / "b" / "entries").glob("*.json")
    with pytest.raises(XaibenchError, match="1 to 300 characters"):
        command("withdraw", entry, "--reason", "x" * 301)


def test_a_name_that_could_be_anything_is_not_published(tmp_path: Path) -> None:
    from tests.reports.made_up import NASTY, make_run

    plan = Plan(patients=2, metrics=("gini", "throughput"), methods={NASTY: "cam"})
    make_run(tmp_path / "run", plan).close()
    with pytest.raises(XaibenchError, match="cannot be published: method"):
        command("add", tmp_path / "run", "--board", tmp_path / "board")
    assert not (tmp_path / "board" / "entries").exists()


def test_the_workflow_takes_entries_and_nothing_else_from_a_pull_request() -> None:
    text = files("xaibench.reports.board").joinpath("workflow.yml").read_text(encoding="utf-8")
    jobs = yaml.safe_load(text)["jobs"]
    assert set(jobs) == {"check", "publish"}
    assert "permissions" not in jobs["check"]  # the workflow's own: reading alone
    pattern = re.search(r"grep -Ev '(\^entries.*?)'", text)
    assert pattern
    name = "entries/" + "0a" * 16
    allowed = [".json", ".jsonl", ".report.html", ".withdrawn.json"]
    assert all(re.match(pattern[1], name + end) for end in allowed)
    refused = [
        f"{name}.verified.json",
        "entries/../x.json",
        ".github/workflows/x.yml",
        f"{name}.json x",
        "a.json",
    ]
    assert not any(re.match(pattern[1], path) for path in refused)
