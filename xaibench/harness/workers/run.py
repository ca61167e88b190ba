"""The run with worker processes: this one hands out cells and writes what comes back, and never runs a plugin."""

from collections.abc import Sequence
from pathlib import Path

from xaibench.api import Progress
from xaibench.harness import registry
from xaibench.harness.cells import missing_cells
from xaibench.harness.configured import check_source
from xaibench.harness.run import Watch
from xaibench.harness.shards import WHOLE, Shard
from xaibench.harness.spec import RunSpec
from xaibench.harness.store.folder import RunFolder, read_info
from xaibench.harness.workers.crew import Crew
from xaibench.harness.workers.lanes import lanes_of
from xaibench.harness.workers.messages import Order
from xaibench.harness.workers.pool import Pool
from xaibench.harness.workers.process import preload


def run_in_workers(
    spec: RunSpec,
    out: Path,
    progress: Progress,
    watch: Watch,
    crew: Crew,
    retry_failed: bool = False,
    modules: Sequence[str] = (),
    shard: Shard = WHOLE,
) -> RunFolder:
    """Compute what is missing in a folder, each cell in a process that may be killed; returns the open folder.

    `modules` are imported once for all processes. Raises XaibenchError as `run` does.
    """
    check_spelling(spec)
    if (out / "run.json").is_file():
        read_info(out)  # a folder of another version is told before a training that may take minutes
    preload(list(modules))
    with Pool(Order(spec, out), crew, progress) as pool:
        pool.begin()
        folder = RunFolder.existing(out)
        if retry_failed:
            folder.forget_failures()
        info = folder.info()
        lanes = lanes_of(shard.cells(info, missing_cells(info, folder.finished())), info.metrics)
        for result in pool.compute(lanes, info):
            folder.keep(result)
            watch(result, lanes.cells)
    return folder


def check_spelling(spec: RunSpec) -> None:
    """Tell a misspelt name at once; what else does not fit is told by the process that prepares the run."""
    registry.check_spelling("methods", spec.methods)
    registry.check_spelling("metrics", spec.metrics)
    check_source(["datasets"], spec.dataset)
    check_source(["models", "classifiers"], spec.model)
