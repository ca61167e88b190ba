"""Runs in a folder that is closed, and packages that are forgotten, when the test ends."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.harness.packages import Site
from tests.harness.plugins import CALLS
from xaibench.harness.cells import Result
from xaibench.harness.prepare import Prepared
from xaibench.harness.run import Watch, compute_missing
from xaibench.harness.store.folder import RunFolder

Compute = Callable[..., RunFolder]
Calls = Callable[[], list[str]]


def nobody(result: Result, cells: int) -> None:
    """Nobody watches."""


@pytest.fixture
def compute(tmp_path: Path) -> Iterator[Compute]:
    """Computes what a folder lacks; returns the open folder."""
    with ExitStack() as stack:

        def run(
            prepared: Prepared, name: str = "run", retry_failed: bool = False, watch: Watch = nobody
        ) -> RunFolder:
            folder = stack.enter_context(closing(RunFolder(tmp_path / name)))
            folder.begin(prepared.info, prepared.cases)
            if retry_failed:
                folder.forget_failures()
            compute_missing(prepared, folder, watch)
            return folder

        yield run


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Calls:
    """What the test's plugins were asked so far, a line an image."""
    file = tmp_path / "calls"
    monkeypatch.setenv(CALLS, str(file))
    return lambda: file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A folder of packages on Python's path, forgotten when the test ends."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    made = Site(tmp_path / "site")
    made.path.mkdir()
    monkeypatch.syspath_prepend(made.path)
    yield made
    made.forget()
