from collections.abc import Iterator

import pytest

from tests.reports.made_up import Plan, make_run
from xaibench.harness.store.folder import RunFolder
from xaibench.reports import write_reports


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunFolder]:
    """A made-up run with its reports written; tests only read it."""
    folder = make_run(tmp_path_factory.mktemp("made-up") / "run", Plan(patients=8))
    write_reports(folder)
    yield folder
    folder.close()


@pytest.fixture(scope="session")
def report(folder: RunFolder) -> str:
    return (folder.path / "report.html").read_text()
