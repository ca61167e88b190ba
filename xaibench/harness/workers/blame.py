"""What is recorded of a cell whose process ended: who is to blame, and who is set aside after doing it twice."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from xaibench.api import Record, Status
from xaibench.harness.cells import Cell, Result
from xaibench.harness.limits import Failure
from xaibench.harness.store.run_info import RunInfo
from xaibench.harness.worker import EXPLAINING, record_of

MOST_ENDED = 2
"""Processes that a method may end at one step before the step is set aside for the rest of the run."""


@dataclass
class Blame:
    """Steps (a method's explanation, or a metric of it) that ended their process, and why."""

    info: RunInfo
    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: dict[tuple[str, str], str] = field(default_factory=dict)

    def of(self, cell: Cell, step: str, reason: str) -> tuple[Result, Cell | None]:
        """Return the failures of a cell whose process ended at a step, and what is left of the cell to compute.

        A metric's end is its own failure; without an explanation, no metric has a value.
        """
        self.ended[cell.method, step] += 1
        self.reasons[cell.method, step] = reason
        return self._parted(cell, {metric: reason for metric in cell.metrics if step in (EXPLAINING, metric)})

    def set_aside(self, cell: Cell) -> tuple[Result | None, Cell | None]:
        """Return the failures of what is set aside, if any, and what is left of the cell."""
        why = {metric: reason for metric in cell.metrics if (reason := self._why(cell.method, metric))}
        return self._parted(cell, why) if why else (None, cell)

    def sentences(self) -> Iterator[str]:
        """Yield a sentence for each step that is set aside."""
        for (method, step), count in self.ended.items():
            if count >= MOST_ENDED:
                what = method if step == EXPLAINING else f"{step} of {method}"
                yield f"{what} is set aside: {self.reasons[method, step]}, twice."

    def _why(self, method: str, metric: str) -> str:
        for step in (EXPLAINING, metric):
            if self.ended[method, step] >= MOST_ENDED:
                return f"set aside, as it ended {MOST_ENDED} processes: {self.reasons[method, step]}"
        return ""

    def _parted(self, cell: Cell, why: dict[str, str]) -> tuple[Result, Cell | None]:
        records = [self._failed(cell, metric, reason) for metric, reason in why.items()]
        rest = tuple(metric for metric in cell.metrics if metric not in why)
        return Result(cell, records), replace(cell, metrics=rest) if rest else None

    def _failed(self, cell: Cell, metric: str, reason: str) -> Record:
        return record_of(self.info, cell, metric, Failure(Status.FAILED, reason))
