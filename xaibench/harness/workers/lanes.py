"""In which order and company cells are computed: what takes times alone, what shares maps one after the other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from xaibench.api import Need
from xaibench.harness.cells import Cell
from xaibench.harness.store.run_info import MetricInfo, Scope


@dataclass(frozen=True)
class Task:
    """Cells that one process computes, one after the other."""

    cells: tuple[Cell, ...]
    fresh: bool = False
    """Whether the process must have done nothing before."""


@dataclass(frozen=True)
class Lanes:
    """The tasks of a run; each lane begins when the one before is done."""

    alone: list[Task]
    """One at a time, while nothing else runs: what takes times."""
    together: list[Task]
    """As many at a time as there are workers."""
    last: list[Task]
    """As many at a time, from the maps of the other lanes: explanations of classes."""

    @property
    def cells(self) -> int:
        """Number of cells."""
        return sum(len(task.cells) for lane in (self.alone, self.together, self.last) for task in lane)


def lanes_of(cells: Sequence[Cell], metrics: Mapping[str, MetricInfo]) -> Lanes:
    """Sort cells into lanes; a cell is parted where its metrics belong to several."""
    alone, together = [], []
    for cell in cells:
        if cell.unit.scope is Scope.CLASS:
            continue
        timed = naming(cell, metrics, Need.TIMING)
        fresh = naming(cell, metrics, Need.FRESH_PROCESS)
        rest = tuple(metric for metric in cell.metrics if metric not in (*timed, *fresh))
        alone += [Task((part,)) for part in parts(cell, timed)]
        together += [Task((part,), fresh=True) for part in parts(cell, fresh)]
        together += [Task((part,)) for part in parts(cell, rest)]
    return Lanes(alone, together, of_classes(cells))


def naming(cell: Cell, metrics: Mapping[str, MetricInfo], need: Need) -> tuple[str, ...]:
    """Metrics of a cell that need something."""
    return tuple(metric for metric in cell.metrics if need.value in metrics[metric].needs)


def parts(cell: Cell, metrics: tuple[str, ...]) -> Iterator[Cell]:
    """Yield the cell with these metrics alone, if there are any."""
    if metrics:
        yield replace(cell, metrics=metrics)


def of_classes(cells: Sequence[Cell]) -> list[Task]:
    """One task a method: the classes of a cohort are explained from the same maps."""
    found: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.unit.scope is Scope.CLASS:
            found.setdefault(cell.method, []).append(cell)
    return [Task(tuple(own)) for own in found.values()]
