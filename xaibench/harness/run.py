"""The run: every method on every case, scored by every metric, written down as it is made."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

from xaibench.api import Case, Measurement, Record, Status
from xaibench.harness.cell import Entry, Workbench, attempted
from xaibench.harness.scopes import CaseRow, ClassRow, CohortRow, Row, scope_of
from xaibench.harness.store.folder import RunFolder

Watch = Callable[[str, int], None]
"""Told what is running, and how many records have just been finished."""


@dataclass(frozen=True, eq=False)
class Run:
    """A grid of methods and rows (cases, the cohort, its classes), and the metrics that fit each row."""

    bench: Workbench
    folder: RunFolder
    cases: list[Case]
    class_names: tuple[str, ...]
    methods: list[Entry]
    metrics: list[Entry]

    def rows(self) -> list[Row]:
        """Rows of every method's records."""
        labels = sorted({case.label for case in self.cases})
        return [
            *(CaseRow(self.bench, self.folder, case) for case in self.cases),
            CohortRow(self.bench, self.cases),
            *(ClassRow(self.bench, self.folder, self.cases, n, self.class_names[n]) for n in labels),
        ]

    def total(self) -> int:
        """Number of records of the whole run."""
        return len(self.methods) * sum(len(self._metrics(row)) for row in self.rows())

    def execute(self, watch: Watch) -> None:
        """Compute what is missing in the folder, and write each record as soon as it is made."""
        finished = self.folder.finished()
        watch("", len(finished))
        for case in self.cases:
            self.folder.save_case(case, self.bench.targets[case.id])
        for method, row in product(self.methods, self.rows()):
            missing = [m for m in self._metrics(row) if (row.id, method.name, m.name) not in finished]
            if missing:
                self._score(method, row, missing, watch)

    def _score(self, method: Entry, row: Row, metrics: list[Entry], watch: Watch) -> None:
        watch(f"{method.name} on {row.id}", 0)
        subject = attempted(lambda: row.subject(method))  # made once for all metrics, so it may fail for all
        for metric in metrics:
            watch(f"{method.name} on {row.id}: {metric.name}", 0)
            fold = self.bench.folds.get(row.patient)
            blank = Record(row.id, row.patient, method.name, metric.name, Status.FAILED, fold=fold)
            compute = partial(_measure, row, metric, method, subject)
            self.folder.append([self.bench.measured(blank, compute)])
            watch("", 1)

    def _metrics(self, row: Row) -> list[Entry]:
        return [metric for metric in self.metrics if scope_of(metric.plugin) is row.scope]


def _measure(row: Row, metric: Entry, method: Entry, subject: Callable[[], Any]) -> Measurement:
    return row.score(metric, method, subject())
