"""What is said while a run goes on where there is no terminal."""

import io

import pytest
from rich.console import Console

from xaibench.cli.progress import Lines
from xaibench.harness.cells import Cell, Result, Unit
from xaibench.harness.store.run_info import Scope

DONE = Result(Cell("lime", Unit(Scope.CASE, "P0-0", "P0", "key", ("P0-0",)), ()), [])


def test_time_left_goes_by_the_cells_after_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first cell, which came after 1,000 s, methods learnt; then a cell took 40 s."""
    now = iter([0.0, 1000.0, 1040.0])
    monkeypatch.setattr("xaibench.cli.progress.time.monotonic", lambda: next(now))
    printed = io.StringIO()
    lines = Lines(Console(file=printed))
    for _ in range(2):
        lines(DONE, 5)
    assert printed.getvalue().startswith("2 of 5 cells, about 120 s left; last: lime on P0-0")
