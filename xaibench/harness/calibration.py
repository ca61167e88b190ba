"""What the cells of a run cost, from a few of them: passes as the run will make them, and time on this machine."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter

import numpy as np

from xaibench.api import CohortExplanation, Explanation, Passes
from xaibench.harness.cells import Cell
from xaibench.harness.explaining import Fits, passes_since
from xaibench.harness.limits import Failure, attempt
from xaibench.harness.prepare import Prepared
from xaibench.harness.scopes import Context, Kept, warm_up
from xaibench.harness.store.run_info import Scope
from xaibench.harness.worker import Worker

Stratum = tuple[str, Scope, int, bool, tuple[str, ...]]
"""Cells that cost alike: method, scope, explained class, whether the map is kept, metrics."""


@dataclass(frozen=True)
class Share:
    """What cells of one method cost."""

    method: str
    cells: int
    forward: int
    backward: int
    seconds: float


def calibrated(prepared: Prepared, cells: Sequence[Cell], fits: Fits, kept: Kept) -> Iterator[Share]:
    """Yield what the cells cost: by a sample of those that cost alike, and each class of a cohort by itself.

    Nothing that is computed is kept; `kept` gives the maps that the run will not make again.
    """
    sampled = [cell for cell in cells if cell.unit.scope is not Scope.CLASS]
    worker = Worker(Context(prepared, fits, kept, lambda method: None))
    yield from of_warm_ups(worker, sampled)
    yield from by_sample(worker, sampled)
    yield from of_classes(prepared, cells, fits, kept)


def by_sample(worker: Worker, cells: Sequence[Cell]) -> Iterator[Share]:
    """Cost of the cells by one of each stratum; one with most metrics comes before the count, for it may trace."""
    strata: dict[Stratum, list[Cell]] = {}
    for cell in cells:
        strata.setdefault(stratum_of(worker.context, cell), []).append(cell)
    for cell in sorted(cells, key=lambda cell: len(cell.metrics))[-1:]:
        worker(cell)
    for some in strata.values():
        one, count = cost_of(worker, some[0]), len(some)
        yield Share(one.method, count, one.forward * count, one.backward * count, one.seconds * count)


def stratum_of(context: Context, cell: Cell) -> Stratum:
    """Stratum of a cell; where several cases are in one cell, they are of no one class."""
    unit = cell.unit
    if unit.scope is not Scope.CASE:
        return cell.method, unit.scope, -1, False, cell.metrics
    kept = context.kept(cell.method, unit.id) is not None
    return cell.method, unit.scope, context.target(unit.id), kept, cell.metrics


def of_warm_ups(worker: Worker, cells: Sequence[Cell]) -> Iterator[Share]:
    """Cost of each method's first explanation on each classifier, which a run makes before it takes times."""
    context = worker.context
    first: dict[tuple[str, int], str] = {}
    for cell in cells:
        for name in _explained(context, cell):
            first.setdefault((cell.method, context.prepared.folds.of[context.case(name).patient]), name)
    for (method, _), name in first.items():
        warming = partial(warm_up, context, context.prepared.methods[method], context.case(name))
        before, started = worker.passes, perf_counter()
        made = attempt(warming, float(context.prepared.info.spec["cell_timeout"]))
        if not isinstance(made, Failure):
            yield _share(method, 0, passes_since(before, worker.passes), perf_counter() - started)


def of_classes(prepared: Prepared, cells: Sequence[Cell], fits: Fits, kept: Kept) -> Iterator[Share]:
    """Cost of explaining classes, each computed: they share maps, so one tells nothing of the next.

    A map that the run will have made by then is stood in for by the image.
    """
    by_then = {(cell.method, cell.unit.id) for cell in cells if cell.unit.scope is Scope.CASE}
    made: dict[str, Mapping[int, CohortExplanation]] = {}

    def kept_by_then(method: str, case: str) -> Explanation | None:
        return stand_in(prepared, case) if (method, case) in by_then else kept(method, case)

    worker = Worker(Context(prepared, fits, kept_by_then, made.get))
    for cell in cells:
        if cell.unit.scope is Scope.CLASS:
            started = perf_counter()
            result = worker(cell)
            made.update({cell.method: result.classes} if result.classes else {})
            yield _share(cell.method, 1, result.passes, perf_counter() - started)


def stand_in(prepared: Prepared, case: str) -> Explanation:
    """Explanation that nobody made: the image's channel mean."""
    heatmap = np.asarray(prepared.cases[case].image.mean(axis=-1), np.float32)
    return Explanation(heatmap, prepared.targets[case], seconds=0.0, forward=0, backward=0)


def cost_of(worker: Worker, cell: Cell) -> Share:
    """Cost of one cell."""
    started = perf_counter()
    return _share(cell.method, 1, worker(cell).passes, perf_counter() - started)


def _explained(context: Context, cell: Cell) -> tuple[str, ...]:
    """Cases that a cell explains, and not from a kept map."""
    unit = cell.unit
    return () if unit.scope is Scope.CASE and context.kept(cell.method, unit.id) else unit.cases


def _share(method: str, cells: int, passes: Passes, seconds: float) -> Share:
    return Share(method, cells, passes.forward, passes.backward, seconds)
