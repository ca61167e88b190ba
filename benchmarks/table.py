"""Rows of results, their table and their file."""

import json
import os
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.jobs import OURS, Job
from benchmarks.timing import Timing

PACKAGES = ("tensorflow", "keras", "numpy")


@dataclass(frozen=True)
class Row:
    """One job on one model: its timing, or why there is none."""

    job: Job
    timing: Timing | None
    target: float | None
    """Highest overhead that xaibench allows itself; None for other libraries."""
    remark: str = ""

    @property
    def met(self) -> bool | None:
        """Tell whether the target is met; None where there is none, or no timing."""
        if self.timing is None or self.target is None:
            return None
        return self.timing.overhead <= self.target

    def facts(self) -> dict[str, Any]:
        """Row of the JSON file."""
        return {
            "work": self.job.work,
            "library": self.job.library,
            "setting": self.job.setting,
            "floor": "forward and backward" if self.job.backward else "forward",
            **(asdict(self.timing) if self.timing else {}),
            "target": self.target,
            "met": self.met,
            "remark": self.remark,
        }

    def cells(self) -> list[str]:
        """Row of the printed table."""
        names = [self.job.work, self.job.library, self.job.setting]
        if self.timing is None:
            return [*names, "", "", "", "", "", self.remark]
        timing = self.timing
        figures = [
            f"{timing.seconds:.3f}",
            f"{timing.ms_per_pass:.2f}",
            f"{timing.overhead:.2f}",
            f"{timing.lowest:.2f} to {timing.highest:.2f}",
        ]
        return [*names, str(timing.passes), *figures, self._verdict()]

    def _verdict(self) -> str:
        if self.target is None:
            return self.remark
        return f"{'met' if self.met else 'MISSED'} (at most {self.target:g})"


def table_of(model: str, floor: str, rows: list[Row]) -> Table:
    """Printed table of one model; work by work, xaibench first."""
    table = Table(title=model, caption=floor, title_justify="left", caption_justify="left")
    for name in ("work", "library", "setting"):
        table.add_column(name, no_wrap=True)
    for name in ("passes", "seconds", "ms a pass", "overhead", "range"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("target")
    order = list(dict.fromkeys(row.job.work for row in rows))
    for row in sorted(rows, key=lambda row: (order.index(row.job.work), row.job.library != OURS)):
        table.add_row(*row.cells(), style="bold" if row.job.library == OURS else "")
    return table


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cores": os.cpu_count(),
        "processor": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }


def write(path: Path, content: dict[str, Any]) -> None:
    """Write the JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")
