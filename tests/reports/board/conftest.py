from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reports.board.made_up_board import added, made_run
from tests.reports.made_up import Plan
from xaibench.harness.store.folder import RunFolder


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunFolder]:
    """A made-up run of every status; tests only read it."""
    folder = made_run(tmp_path_factory.mktemp("published") / "run")
    yield folder
    folder.close()


@pytest.fixture
def entry_file(tmp_path: Path) -> Path:
    """Entry of two methods, one of them a control, on three patients; to be changed."""
    plan = Plan(patients=3, metrics=("morf-lerf", "gini", "latency", "throughput"))
    return added(made_run(tmp_path / "run", plan, ["lime", "random"]), tmp_path / "board")
