"""Reads entries, which strangers may have written: bounded, checked, and never executed or used as a path."""

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from xaibench.api import Status, XaibenchError
from xaibench.harness.store.run_info import COHORT
from xaibench.reports.board.bounds import MOST_ROWS, parsed, read_bytes
from xaibench.reports.board.entry import Entry, Row, content_hash
from xaibench.reports.board.results import results_of

ROUNDING = 1e-6
"""Share by which a score may differ from the one that follows from the rows: other versions sum in another order."""


@dataclass(frozen=True, eq=False)
class Published:
    """An entry with its rows."""

    id: str
    """Hash of its content."""
    entry: Entry
    rows: tuple[Row, ...]


def read_entry(path: Path) -> Published:
    """Read an entry and the rows beside it. Raises XaibenchError for the first thing that does not fit."""
    text = read_bytes(path)
    if path.stem != content_hash(text):
        raise XaibenchError(
            f"{path} was changed: its content is {content_hash(text)}, not what its name says."
        )
    try:
        entry = Entry.model_validate(parsed(text, str(path)))
        rows = tuple(_rows(path.with_suffix(".jsonl"), entry))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise XaibenchError(f"{path} is no entry: {where}: {first['msg'].lower()}.") from error
    _check_names(path, entry, rows)
    _check_values(path, entry, rows)
    _check_results(path, entry, rows)
    return Published(path.stem, entry, rows)


def _rows(path: Path, entry: Entry) -> Iterator[Row]:
    text = read_bytes(path)
    stated = entry.detailed_evaluation_results
    if hashlib.sha256(text).hexdigest() != stated.checksum:
        raise XaibenchError(f"{path} was changed: its checksum is not what the entry says.")
    lines = text.splitlines()
    if len(lines) != stated.total_rows or len(lines) > MOST_ROWS:
        raise XaibenchError(f"{path} has {len(lines)} rows, the entry says {stated.total_rows}.")
    for number, line in enumerate(lines, 1):
        yield Row.model_validate(parsed(line, f"{path}, line {number},"))


def _check_names(path: Path, entry: Entry, rows: Sequence[Row]) -> None:
    """Refuse rows of methods, metrics, cases or patients that the entry does not know, and repeated ones."""
    section = entry.xaibench
    patients = {case.id: case.patient for case in section.cohort.cases}
    seen: set[tuple[str, str, str]] = set()
    for row in rows:
        known = row.method in section.methods and row.metric in section.metrics
        place = row.method, row.metric, row.sample_id
        if not known or place in seen or patients.get(row.sample_id, COHORT) != row.patient_id:
            named = f"{row.method}, {row.metric} and {row.sample_id}"
            raise XaibenchError(f"{path}: a row of {named} is repeated, or does not fit the entry.")
        seen.add(place)


def _check_values(path: Path, entry: Entry, rows: Sequence[Row]) -> None:
    """Refuse a score that its metric cannot have."""
    for row in rows:
        if (row.score is not None) != (row.status is Status.OK):
            raise XaibenchError(f"{path}: {row.method}, {row.metric} has a score and a reason, or neither.")
        low, high = entry.xaibench.metrics[row.metric].bounds
        if row.score is not None and not low - ROUNDING <= row.score <= high + ROUNDING:
            raise XaibenchError(f"{path}: {row.score:g} is outside the range of {row.metric}.")


def _check_results(path: Path, entry: Entry, rows: Sequence[Row]) -> None:
    """Refuse scores over patients that do not follow from the rows."""
    stated = {one.evaluation_result_id: one.score_details.score for one in entry.evaluation_results}
    follow = {one.evaluation_result_id: one.score_details.score for one in results_of(entry.xaibench, rows)}
    for name in sorted({*stated, *follow}):
        if name not in stated or name not in follow or not _close(stated[name], follow[name]):
            raise XaibenchError(f"{path}: the score of {name} does not follow from the rows of its cases.")


def _close(first: float, second: float) -> bool:
    return math.isclose(first, second, rel_tol=ROUNDING, abs_tol=ROUNDING)
