"""What a run would cost, before it runs: cells, passes and time, from a short calibration."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from xaibench.api import Progress
from xaibench.harness.cells import Cell, missing_cells
from xaibench.harness.describe import Sources
from xaibench.harness.prepare import Prepared, prepare
from xaibench.harness.run import worker_for
from xaibench.harness.spec import RunSpec
from xaibench.harness.store.folder import RunFolder
from xaibench.harness.store.run_info import Scope

Stratum = tuple[str, Scope, int, tuple[str, ...]]
"""Cells that cost alike: one method, one scope, one explained class, the same metrics."""


@dataclass(frozen=True)
class Share:
    """What the cells of one method cost."""

    method: str
    cells: int
    forward: int
    backward: int
    seconds: float


@dataclass(frozen=True)
class Plan:
    """What a run would still compute."""

    shares: tuple[Share, ...]

    @property
    def cells(self) -> int:
        """Number of cells."""
        return sum(share.cells for share in self.shares)

    @property
    def forward(self) -> int:
        """Forward passes, an image each."""
        return sum(share.forward for share in self.shares)

    @property
    def backward(self) -> int:
        """Backward passes, an image each."""
        return sum(share.backward for share in self.shares)

    @property
    def seconds(self) -> float:
        """Expected time on this machine."""
        return sum(share.seconds for share in self.shares)

    def header(self) -> list[str]:
        """Column titles of `rows`."""
        return ["method", "cells", "forward passes", "backward passes", "seconds"]

    def rows(self) -> list[list[str]]:
        """One line of text a method."""
        return [
            [share.method, *map(str, (share.cells, share.forward, share.backward)), f"{share.seconds:.1f}"]
            for share in self.shares
        ]

    def summary(self) -> str:
        """All methods together, in a sentence."""
        return (
            f"{self.cells} cells, {self.forward:,} forward and {self.backward:,} backward passes, about "
            f"{self.seconds / 60:.1f} minutes on this machine; counted on one case of each explained class, so methods "
            f"and metrics whose passes depend on the image may take a few more or fewer."
        )


def plan_run(spec: RunSpec, out: Path, progress: Progress, sources: Sources | None = None) -> Plan:
    """Plan what a folder, which need not exist, still lacks of a run; nothing is written there."""
    prepared = prepare(spec, progress, sources)
    finished: set[str] = set()
    if (out / "run.json").is_file():
        folder = RunFolder.existing(out)
        finished = folder.finished()
        folder.close()
    return plan_cells(prepared, missing_cells(prepared.info, finished))


def plan_cells(prepared: Prepared, cells: Sequence[Cell]) -> Plan:
    """Compute one cell of each stratum in a folder that is thrown away, and count it for all."""
    strata: dict[Stratum, list[Cell]] = {}
    for cell in cells:
        strata.setdefault(stratum_of(prepared, cell), []).append(cell)
    with tempfile.TemporaryDirectory() as place:
        folder = RunFolder(Path(place))
        folder.begin(prepared.info, prepared.cases)
        costs = _calibrated(prepared, folder, {stratum: some[0] for stratum, some in strata.items()})
        folder.close()
    shares: dict[str, list[Share]] = {}
    for stratum, some in strata.items():
        one = costs[stratum]
        count = len(some)
        shares.setdefault(one.method, []).append(
            Share(one.method, count, one.forward * count, one.backward * count, one.seconds * count)
        )
    return Plan(tuple(_sum(method, parts) for method, parts in shares.items()))


def stratum_of(prepared: Prepared, cell: Cell) -> Stratum:
    """Stratum of a cell; where several cases are in one cell, they are of no one class."""
    target = prepared.targets[cell.unit.id] if cell.unit.scope is Scope.CASE else -1
    return cell.method, cell.unit.scope, target, cell.metrics


def _calibrated(
    prepared: Prepared, folder: RunFolder, samples: Mapping[Stratum, Cell]
) -> dict[Stratum, Share]:
    """Cost of each sample. It is computed twice where it may trace or warm up, and only the second time counts."""
    worker = worker_for(prepared, folder, {cell.method for cell in samples.values()})
    costs = {}
    for stratum, cell in samples.items():
        worker(cell)
        started = perf_counter()
        spent = worker(cell).passes
        costs[stratum] = Share(cell.method, 1, spent.forward, spent.backward, perf_counter() - started)
    return costs


def _sum(method: str, parts: Sequence[Share]) -> Share:
    return Share(
        method,
        sum(part.cells for part in parts),
        sum(part.forward for part in parts),
        sum(part.backward for part in parts),
        sum(part.seconds for part in parts),
    )
