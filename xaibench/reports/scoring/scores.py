"""Records of a run to one score for every method and metric: a number with its interval, or a reason."""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from xaibench.api import Record, Status, seed_of
from xaibench.reports.scoring.statistics import Estimate, estimate, patient_means
from xaibench.reports.text import one_line

Info = Mapping[str, Any]
"""What `run.json` holds."""


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
    family: str
    """Family of the metric."""
    status: Outcome
    mean: float | None
    """Mean over patients (over classes for cohort metrics); None where nothing was measured."""
    low: float | None
    high: float | None
    n_patients: int
    """Patients that the mean rests on."""
    n_cases: int
    n_failed: int
    reason: str
    """`measured`, or what is missing and why."""


Scores = dict[tuple[str, str], Score]
"""Scores by (method, metric), in the order of scores.csv."""

UNITS = {"case": "cases", "throughput": "cohort figures", "cohort": "classes"}
NO_INTERVAL = {
    "case": "one patient: no interval over patients",
    "throughput": "one figure for the whole cohort: no interval over patients",
    "cohort": "mean over the classes of a cohort explanation: no interval over patients",
}


def scores_of(info: Info, records: Iterable[Record]) -> Scores:
    """Score every method by every metric, each followed by the figures recorded beside it."""
    cells: dict[tuple[str, str], list[Record]] = {}
    for record in sorted(records, key=lambda r: r.case):
        cells.setdefault((record.method, record.metric), []).append(record)
    details = _detail_names(cells)
    found = (
        score
        for method in sorted(info["methods"])
        for metric in sorted(info["metrics"])
        for score in _scores_of_cell(
            info, method, metric, cells.get((method, metric), []), sorted(details.get(metric, ()))
        )
    )
    return {(score.method, score.metric): score for score in found}


def _detail_names(cells: Mapping[tuple[str, str], Sequence[Record]]) -> dict[str, set[str]]:
    names: dict[str, set[str]] = {}
    for (_, metric), records in cells.items():
        for record in records:
            names.setdefault(metric, set()).update(record.details)
    return names


def _scores_of_cell(
    info: Info, method: str, metric: str, records: Sequence[Record], details: Sequence[str]
) -> list[Score]:
    """Score of a metric, and where there is one, the figures beside it."""
    main = _score(info, method, metric, records)
    rows = [main]
    if main.mean is None:
        return rows
    for detail in details:
        score = _score(info, method, metric, [_of_detail(record, detail) for record in records])
        rows.append(dataclasses.replace(score, metric=f"{metric}.{detail}"))
    return rows + (_latency_quantiles(main, records) if metric == "latency" else [])


def _of_detail(record: Record, detail: str) -> Record:
    """Make a record whose value is a figure that was recorded beside it."""
    if record.status is not Status.OK:
        return record
    value = record.details.get(detail)
    if value is None or not math.isfinite(value):
        reason = "this figure has no finite value here"
        return dataclasses.replace(record, status=Status.NOT_APPLICABLE, reason=reason)
    return dataclasses.replace(record, value=float(value))


def _latency_quantiles(main: Score, records: Sequence[Record]) -> list[Score]:
    """Median and 95th percentile over cases: a latency budget is about single images, not means."""
    values = [r.value for r in records if r.value is not None and _is_measured(r)]
    rows = []
    for name, share in (("median", 0.5), ("p95", 0.95)):
        row = dataclasses.replace(main, metric=f"{main.metric}.{name}", low=None, high=None)
        if values:
            reason = "quantile over the cases: no interval over patients"
            full = row.status is Outcome.MEASURED
            row = dataclasses.replace(
                row,
                mean=float(np.quantile(values, share)),
                reason=reason if full else f"{reason}; {main.reason}",
            )
        rows.append(row)
    return rows


def _is_measured(record: Record) -> bool:
    return record.status is Status.OK and record.value is not None and math.isfinite(record.value)


def _score(info: Info, method: str, metric: str, records: Sequence[Record]) -> Score:
    facts, cohort = info["metrics"][metric], info["cohort"]
    by_case = facts["scope"] == "case"
    expected = cohort["cases"] if by_case else max(1, len(records))
    measured = [r for r in records if _is_measured(r)]
    other = [r for r in records if r.status is Status.NOT_APPLICABLE]
    failed = [r for r in records if not _is_measured(r) and r.status is not Status.NOT_APPLICABLE]
    missing = max(0, expected - len(records))
    found = _estimate(facts["scope"], method, metric, measured)
    parts = [
        _part(failed, expected, f"{UNITS[facts['scope']]} failed"),
        f"{missing} of {expected} {UNITS[facts['scope']]} not computed" if missing else "",
        _part(other, expected, f"{UNITS[facts['scope']]} not applicable"),
        NO_INTERVAL[facts["scope"]] if found and found.low is None else "",
    ]
    return Score(
        method=method,
        metric=metric,
        family=facts["family"],
        status=_outcome(len(measured), len(failed), missing),
        mean=found.mean if found else None,
        low=found.low if found else None,
        high=found.high if found else None,
        n_patients=len({r.patient for r in measured}) if by_case or not measured else cohort["patients"],
        n_cases=len(measured) if by_case or not measured else cohort["cases"],
        n_failed=len(failed),
        reason="; ".join(filter(None, parts)) or "measured",
    )


def _estimate(scope: str, method: str, metric: str, measured: Sequence[Record]) -> Estimate | None:
    """Mean over patients with its interval; over the classes, without one, for a figure of the cohort."""
    if not measured:
        return None
    pairs = [(r.patient, r.value) for r in measured if r.value is not None]
    found = estimate(patient_means(pairs), seed_of("bootstrap", method, metric))
    return found if scope == "case" else Estimate(found.mean, None, None)


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
