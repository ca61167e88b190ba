"""The score of one cell: a method, a metric, and the records that they have within a group of cases."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from xaibench.api import Record, Status
from xaibench.harness.store.run_info import COHORT, MetricInfo, Scope
from xaibench.reports.scoring.groups import Group
from xaibench.reports.scoring.intervals import Aggregate, estimate, patient_means
from xaibench.reports.text import one_line

LATENCY = "latency"
MEASURED = "measured"
UNITS = {Scope.CASE: "cases", Scope.BATCH: "figures of the batch", Scope.CLASS: "classes"}
NO_INTERVAL = {
    Scope.BATCH: "one figure for several cases: no interval over patients",
    Scope.CLASS: "mean over the classes of a cohort explanation: no interval over patients",
}


class Outcome(StrEnum):
    """How the cell of a method and a metric came out over all cases."""

    MEASURED = "measured"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"
    MISSING = "missing"


@dataclass(frozen=True)
class Score:
    """One row of scores.csv."""

    method: str
    metric: str
    """Name, with the name of the detail behind a dot for figures that were recorded beside the value."""
    group: Group
    aggregate: str
    """How the patients' values become one: mean, median, share, or a percentile of the cases."""
    value: float | None
    """Over patients (over classes for figures of classes); None where nothing was measured."""
    low: float | None
    high: float | None
    n_patients: int
    """Patients that the value rests on; 0 for a figure of several cases together."""
    n_cases: int
    n_failed: int
    status: Outcome
    reason: str
    """`measured`, or what is missing and why."""


@dataclass(frozen=True)
class Cell:
    """The records of a method and a metric within a group of cases."""

    method: str
    metric: str
    facts: MetricInfo
    group: Group
    expected: int
    """Cases that should have a record."""
    records: Sequence[Record]

    def scores(self, details: Sequence[str]) -> list[Score]:
        """Score of the metric, and where there is one, of the figures beside it."""
        main = self._score()
        if main.value is None:
            return [main]
        beside = [detail for detail in details if any(detail in r.details for r in self.records)]
        return [main, *map(self._detail, beside), *(self._percentile() if self.metric == LATENCY else [])]

    def _detail(self, name: str) -> Score:
        """Score of a figure recorded beside the value; it may lie outside the metric's range.

        Hits and misses beside a share are a share themselves.
        """
        records = [_of_detail(r, name) for r in self.records]
        hits = self.facts.aggregate == "share" and {r.value for r in records if is_measured(r)} <= {0.0, 1.0}
        aggregate: Aggregate = "median" if self.facts.aggregate == "median" else "mean"
        own = {"range": (None, None), "aggregate": aggregate}
        facts = self.facts if hits else self.facts.model_copy(update=own)
        cell = dataclasses.replace(self, facts=facts, records=records)
        return dataclasses.replace(cell._score(), metric=f"{self.metric}.{name}")

    def _percentile(self) -> list[Score]:
        """95th percentile over the cases: a budget of time is about single images, not means."""
        values = [r.value for r in self.records if r.value is not None and is_measured(r)]
        main = dataclasses.replace(self._score(), metric=f"{self.metric}.p95", low=None, high=None)
        reason = "percentile over the cases: no interval over patients"
        value = float(np.quantile(values, 0.95))
        return [dataclasses.replace(main, aggregate="95th percentile", value=value, reason=reason)]

    def _score(self) -> Score:
        scope = self.facts.scope
        expected = self.expected if scope is Scope.CASE else max(1, len(self.records))
        measured = [r for r in self.records if is_measured(r)]
        other = [r for r in self.records if r.status is Status.NOT_APPLICABLE]
        failed = [r for r in self.records if not is_measured(r) and r.status is not Status.NOT_APPLICABLE]
        missing = max(0, expected - len(self.records))
        value, low, high, reason = self._estimate(measured)
        parts = [
            _part(failed, expected, f"{UNITS[scope]} failed"),
            f"{missing} of {expected} {UNITS[scope]} not computed" if missing else "",
            _part(other, expected, f"{UNITS[scope]} not applicable"),
            reason,
        ]
        return Score(
            *(self.method, self.metric, self.group, self.facts.aggregate),
            *(value, low, high),
            n_patients=len({r.patient for r in measured} - {COHORT}),
            n_cases=len(measured),
            n_failed=len(failed),
            status=_outcome(len(measured), len(failed), missing),
            reason="; ".join(filter(None, parts)) or MEASURED,
        )

    def _estimate(self, measured: Sequence[Record]) -> tuple[float | None, float | None, float | None, str]:
        """Value, interval, and why there is none."""
        if not measured:
            return None, None, None, ""
        values = patient_means((r.patient, r.value) for r in measured if r.value is not None)
        found = estimate(values, self.facts.aggregate, self.facts.bounds)
        if self.facts.scope is not Scope.CASE:
            return found.value, None, None, NO_INTERVAL[self.facts.scope]
        return found.value, found.low, found.high, found.reason


def _of_detail(record: Record, detail: str) -> Record:
    """Make a record whose value is a figure that was recorded beside it."""
    if record.status is not Status.OK:
        return record
    value = record.details.get(detail)
    if value is None or not math.isfinite(value):
        reason = "this figure has no finite value here"
        return dataclasses.replace(record, status=Status.NOT_APPLICABLE, reason=reason)
    return dataclasses.replace(record, value=float(value))


def is_measured(record: Record) -> bool:
    """Whether a record holds a finite number."""
    return record.status is Status.OK and record.value is not None and math.isfinite(record.value)


def _part(records: Sequence[Record], expected: int, what: str) -> str:
    if not records:
        return ""
    reason = one_line(records[0].reason) or "no finite number and no reason were recorded"
    return f"{len(records)} of {expected} {what}: {reason}"


def _outcome(measured: int, failed: int, missing: int) -> Outcome:
    if measured:
        return Outcome.INCOMPLETE if failed or missing else Outcome.MEASURED
    if failed:
        return Outcome.FAILED
    return Outcome.MISSING if missing else Outcome.NOT_APPLICABLE
