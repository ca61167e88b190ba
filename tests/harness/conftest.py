"""Runs in a folder that is closed when the test ends."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.harness.plugins import CALLS
from xaibench.harness.cells import Result
from xaibench.harness.prepare import Prepared
from xaibench.harness.run import Watch, compute_missing
from xaibench.harness.store.folder import RunFolder

Compute = Callable[..., RunFolder]


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
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """What the test's plugins were asked so far, a line an image."""
    file = tmp_path / "calls"
    monkeypatch.setenv(CALLS, str(file))
    return lambda: file.read_text().splitlines() if file.exists() else []
