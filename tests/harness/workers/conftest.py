"""Hostile plugins, installed, and runs of them in worker processes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.harness.conftest import nobody
from tests.harness.packages import Site
from tests.harness.workers import hostile
from xaibench.api import Silent
from xaibench.harness.spec import RunSpec
from xaibench.harness.store.folder import RunFolder
from xaibench.harness.workers import process
from xaibench.harness.workers.crew import Crew
from xaibench.harness.workers.run import run_in_workers

RunInWorkers = Callable[..., RunFolder]
SETTINGS = {"dataset": "made-cohort", "model": "made-model", "cell_timeout": 1.0}


def kebab(name: str) -> str:
    """`HangInC` as `hang-in-c`."""
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).strip("-")


@pytest.fixture
def installed(site: Site) -> Site:
    own, shared = "tests.harness.workers.hostile", "tests.harness.plugins"
    methods = {kebab(name): f"{own}:{name}" for name in hostile.ACTS}
    methods |= {"divides-by-zero": f"{own}:DividesByZero", "bright": f"{shared}:Brightness"}
    methods |= {"patches-model": f"{own}:PatchesModel"}
    methods |= {"stacked": f"{shared}:Stacked", "drawn": f"{shared}:Drawn"}
    site.install("hostile", "methods", methods)
    metrics = {
        "mean": f"{shared}:Mean",
        "together": f"{shared}:Together",
        "class-mean": f"{shared}:ClassMean",
    }
    metrics |= {"score": f"{shared}:TargetScore"}
    metrics |= {"ends": f"{own}:EndsMetric", "process": f"{own}:ProcessOf"}
    site.install("hostile", "metrics", metrics)
    site.install("hostile", "datasets", {"made-cohort": f"{own}:Cohort"})
    site.install("hostile", "models", {"made-model": f"{own}:Model"})
    return site


@pytest.fixture
def run(installed: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunInWorkers]:
    """Runs in so many worker processes, which are killed soon after a time limit; returns the open folder."""
    monkeypatch.setattr(process, "GRACE", 0.5)
    with ExitStack() as stack:

        def run_spec(workers: int = 2, name: str = "run", **settings: object) -> RunFolder:
            spec = RunSpec(**{**SETTINGS, **settings})
            crew = Crew(workers, memory=400.0)
            folder = run_in_workers(spec, tmp_path / name, Silent(), nobody, crew)
            return stack.enter_context(closing(folder))

        yield run_spec
