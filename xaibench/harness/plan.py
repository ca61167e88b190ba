"""What a run would cost, before it runs: cells, passes and time, from a short calibration."""

import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from xaibench.api import Progress
from xaibench.harness.calibration import Share, calibrated
from xaibench.harness.cells import missing_cells
from xaibench.harness.describe import Sources
from xaibench.harness.fitting import fit_methods
from xaibench.harness.prepare import Prepared, prepare
from xaibench.harness.spec import RunSpec
from xaibench.harness.store.folder import RunFolder, read_info


@dataclass(frozen=True)
class Plan:
    """What a run would still compute."""

    shares: tuple[Share, ...]
    """A share a method."""

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


def plan_run(
    spec: RunSpec,
    out: Path,
    progress: Progress,
    sources: Sources | None = None,
    retry_failed: bool = False,
) -> Plan:
    """Plan what a folder, which need not exist, still lacks of a run; nothing is written there."""
    begun = (out / "run.json").is_file()
    if begun:
        read_info(out)  # a folder of another version is told before a training that may take minutes
    prepared = prepare(spec, progress, sources)
    with tempfile.TemporaryDirectory() as place, closing(RunFolder(Path(place))) as scratch:
        if not begun:
            return plan_missing(prepared, scratch, scratch)
        with closing(RunFolder(out)) as folder:
            return plan_missing(prepared, folder, scratch, retry_failed)


def plan_missing(
    prepared: Prepared, folder: RunFolder, scratch: RunFolder, retry_failed: bool = False
) -> Plan:
    """Plan the cells that a folder lacks, with the maps that it holds; `scratch` takes what methods learn."""
    folder.expect(prepared.info)
    failed = {record.key for record in folder.failed()} if retry_failed else set()
    cells = missing_cells(prepared.info, folder.finished() - failed)
    fits = fit_methods(prepared, scratch, sorted({cell.method for cell in cells}))
    found: dict[str, list[Share]] = {}
    for share in calibrated(prepared, cells, fits, folder.explanation):
        found.setdefault(share.method, []).append(share)
    return Plan(tuple(_sum(method, shares) for method, shares in found.items()))


def _sum(method: str, shares: list[Share]) -> Share:
    return Share(
        method,
        sum(share.cells for share in shares),
        sum(share.forward for share in shares),
        sum(share.backward for share in shares),
        sum(share.seconds for share in shares),
    )
