"""The run, a straight line: prepare, cells, executor, store."""

from collections.abc import Callable, Sequence
from pathlib import Path

from xaibench.api import Fitted, Passes, Progress
from xaibench.harness.cells import Result, missing_cells
from xaibench.harness.configured import Configured
from xaibench.harness.describe import Sources
from xaibench.harness.fitting import fit_methods
from xaibench.harness.prepare import Prepared, prepare
from xaibench.harness.scopes import Context
from xaibench.harness.shards import WHOLE, Shard
from xaibench.harness.spec import RunSpec
from xaibench.harness.store.folder import RunFolder, read_info
from xaibench.harness.worker import Worker

Watch = Callable[[Result, int], None]
"""Told each result, and how many cells there are in all."""


def run(
    spec: RunSpec,
    out: Path,
    progress: Progress,
    watch: Watch = lambda result, cells: None,
    retry_failed: bool = False,
    sources: Sources | None = None,
    given: Sequence[Configured] = (),
    shard: Shard = WHOLE,
) -> RunFolder:
    """Compute what a folder misses of a shard, and write each cell as soon as it is made; returns the open folder.

    All cells are computed here, one after the other; `workers.run` computes them in processes of their own.
    """
    if (out / "run.json").is_file():
        read_info(out)  # a folder of another version is told before a training that may take minutes
    prepared = prepare(spec, progress, sources, given)
    for sentence in prepared.sentences:
        progress.say(sentence)
    folder = RunFolder(out)
    folder.begin(prepared.info, prepared.cases)
    if retry_failed:
        folder.forget_failures()
    learners = [name for name, method in prepared.methods.items() if isinstance(method.made, Fitted)]
    if learners:
        progress.say(
            f"Before the first cell, {', '.join(learners)} learn from the model's training cases, once."
        )
    compute_missing(prepared, folder, watch, shard=shard)
    return folder


def compute_missing(
    prepared: Prepared,
    folder: RunFolder,
    watch: Watch,
    shard: Shard = WHOLE,
) -> Passes:
    """Compute the cells that a folder lacks; returns the passes they took."""
    cells = shard.cells(prepared.info, missing_cells(prepared.info, folder.finished()))
    worker = worker_for(prepared, folder, {cell.method for cell in cells})
    spent: list[Passes] = []
    for cell in cells:
        result = worker(cell)
        folder.keep(result)
        watch(result, len(cells))
        spent.append(result.passes)
    forward, backward, seconds = (sum(passes[kind] for passes in spent) for kind in range(3))
    return Passes(int(forward), int(backward), seconds)


def worker_for(prepared: Prepared, folder: RunFolder, methods: set[str]) -> Worker:
    """Worker of this process, its methods fitted, which reads kept explanations from the folder."""
    fits = fit_methods(prepared, folder, sorted(methods))
    return Worker(Context(prepared, fits, folder.explanation, folder.cohort_explanations))
