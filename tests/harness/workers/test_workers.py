"""Cells in worker processes: the same figures as in one process, in an order that disturbs no time."""

import os
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.harness.in_memory import prepared_run
from tests.harness.packages import Site
from tests.harness.plugins import ClassMean, Mean
from tests.harness.workers.conftest import SETTINGS, RunInWorkers
from xaibench.api import Silent, Status, XaibenchError
from xaibench.harness import run as run_module
from xaibench.harness.cells import Cell, Unit
from xaibench.harness.spec import RunSpec
from xaibench.harness.store.folder import RunFolder
from xaibench.harness.store.run_info import Scope
from xaibench.harness.workers.crew import MIB, Crew, crew_of
from xaibench.harness.workers.lanes import Task, lanes_of
from xaibench.metrics.latency import Latency
from xaibench.metrics.peak_memory import PeakMemory

METHODS, METRICS = "bright,stacked,drawn", "mean,together,class-mean"


def figures(folder: RunFolder) -> list[dict[str, object]]:
    return [{**asdict(record), "seconds": 0} for record in folder.records()]


def test_any_number_of_workers_gives_the_figures_of_one_process(
    run: RunInWorkers, tmp_path: Path, installed: Site
) -> None:
    spec = RunSpec(**{**SETTINGS, "methods": METHODS, "metrics": METRICS})
    with closing(run_module.run(spec, tmp_path / "alone", Silent())) as folder:
        alone = figures(folder)
    assert {record["status"] for record in alone} == {Status.OK, Status.NOT_APPLICABLE}
    for workers in (1, 3):
        assert figures(run(workers, f"with {workers}", methods=METHODS, metrics=METRICS)) == alone


def test_a_folder_goes_on_with_what_is_missing(run: RunInWorkers) -> None:
    first = figures(run(methods="bright", metrics="process"))
    both = figures(run(methods="bright,drawn", metrics="process"))
    assert len(both) == 6
    assert [record for record in both if record["method"] == "bright"] == first


def test_cells_are_computed_by_several_processes_and_never_by_this_one(run: RunInWorkers) -> None:
    folder = run(2, methods="bright,drawn,stacked", metrics="process", options={"count": 8})
    processes = {record.value for record in folder.records()}
    assert len(processes) == 2
    assert os.getpid() not in processes


# ---------------------------------------------------------------- lanes


METRIC_INFOS = prepared_run(
    {}, {"dice": Mean(), "latency": Latency(), "memory": PeakMemory(), "class-mean": ClassMean()}
).info.metrics


def cell(method: str, scope: Scope, *metrics: str, name: str = "P0") -> Cell:
    return Cell(method, Unit(scope, name, name, "key", (name,)), metrics)


def test_what_takes_times_is_computed_alone_and_first() -> None:
    lanes = lanes_of([cell("rise", Scope.CASE, "dice", "latency")], METRIC_INFOS)
    assert lanes.alone == [Task((cell("rise", Scope.CASE, "latency"),))]
    assert lanes.together == [Task((cell("rise", Scope.CASE, "dice"),))]
    assert lanes.cells == 2


def test_what_needs_a_fresh_process_gets_one() -> None:
    lanes = lanes_of([cell("rise", Scope.BATCH, "latency", "memory")], METRIC_INFOS)
    assert lanes.alone == [Task((cell("rise", Scope.BATCH, "latency"),))]
    assert lanes.together == [Task((cell("rise", Scope.BATCH, "memory"),), fresh=True)]


def test_classes_of_a_method_come_last_and_one_after_the_other() -> None:
    cells = [cell(m, Scope.CLASS, "class-mean", name=n) for m in ("a", "b") for n in ("no", "yes")]
    lanes = lanes_of([*cells, cell("a", Scope.CASE, "dice")], METRIC_INFOS)
    assert lanes.last == [Task((cells[0], cells[1])), Task((cells[2], cells[3]))]
    assert len(lanes.together) == 1


# ---------------------------------------------------------------- crew


def test_workers_share_most_of_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "xaibench.harness.workers.crew.psutil.virtual_memory", lambda: Memory(10 * 1024 * MIB)
    )
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    assert crew_of() == Crew(4, 2048.0)
    assert crew_of(2) == Crew(2, 4096.0)
    assert crew_of(2, memory=1.5) == Crew(2, 1536.0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    assert crew_of() == Crew(2, 4096.0)


class Memory:
    """The memory of a machine."""

    def __init__(self, total: int) -> None:
        self.total = total


def test_a_run_of_a_changed_model_is_refused(run: RunInWorkers, tmp_path: Path) -> None:
    """A worker that finds another model than the one the run began with computes nothing."""
    from xaibench.harness.workers.messages import Order
    from xaibench.harness.workers.serving import found

    folder = run(1, methods="bright", metrics="mean")
    changed = folder.info().model.model_copy(update={"key": "another"})
    folder.expect(folder.info().model_copy(update={"model": changed}))
    order = Order(RunSpec(**{**SETTINGS, "methods": "bright", "metrics": "mean"}), tmp_path / "run")
    with pytest.raises(XaibenchError, match="has changed since the run began"):
        found(order, folder)
