"""An entry made from a run folder."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from xaibench.api import Record, Status
from xaibench.harness.store.folder import RunFolder
from xaibench.harness.store.run_info import COHORT, MethodInfo, MetricInfo, RunInfo
from xaibench.reports.board.entry import Entry, PublishedCase, PublishedCohort, Row, Section
from xaibench.reports.board.every_eval_ever import ClassifierInfo, DetailedResults, EvalLibrary
from xaibench.reports.board.private import MOST, publishable, published
from xaibench.reports.board.pseudonyms import Pseudonyms, pseudonyms_of
from xaibench.reports.board.results import results_of

Described = TypeVar("Described", MethodInfo, MetricInfo)
OVERTIME = "took longer than the cell timeout"


def entry_of(folder: RunFolder) -> tuple[Entry, str]:
    """Make the entry of a run, and the text of the file of its cases."""
    info, cases = folder.info(), folder.cases()
    names = pseudonyms_of(info.cohort.cases, cases)
    rows = [_row(record, names) for record in folder.records()]
    lines = rows_text(sorted(rows, key=lambda row: (row.method, row.metric, row.sample_id)))
    asked = _asked(info)
    seconds = int(asked.timestamp())
    section = _section(info, names)
    entry = Entry(
        evaluation_id=f"xaibench/{section.model.name}/{seconds}",
        evaluation_timestamp=asked.isoformat(),
        retrieved_timestamp=str(seconds),
        eval_library=EvalLibrary(version=info.versions.get("xaibench", "unknown")),
        model_info=ClassifierInfo(name=section.model.name, id=f"{section.model.name}@{section.model.key}"),
        evaluation_results=results_of(section, rows),
        detailed_evaluation_results=DetailedResults(
            checksum=hashlib.sha256(lines.encode()).hexdigest(), total_rows=len(rows)
        ),
        xaibench=section,
    )
    return entry, lines


def _asked(info: RunInfo) -> datetime:
    """When the specification was first run; the latest request where none is it, as after a merge."""
    same = [request.at for request in info.history if request.spec == info.spec]
    return min(same) if same else max(request.at for request in info.history)


def rows_text(rows: Sequence[Row]) -> str:
    """Write a line of JSON for each row."""
    return "".join(
        json.dumps(row.model_dump(mode="json", exclude_defaults=True), sort_keys=True) + "\n" for row in rows
    )


def _row(record: Record, names: Pseudonyms) -> Row:
    return Row(
        method=record.method,
        metric=record.metric,
        sample_id=names.of_unit(record.case),
        patient_id=COHORT if record.patient == COHORT else names.patients[record.patient],
        status=record.status,
        score=record.value,
        reason=_reason(record, names),
    )


def _reason(record: Record, names: Pseudonyms) -> str:
    """Reason that names nobody: of a failure the kind of error alone, since its message may hold anything."""
    if record.status is Status.FAILED and not record.reason.startswith(OVERTIME):
        kind = record.reason.partition(":")[0]
        return kind if kind.isidentifier() else "failed"
    known = sorted({*names.cases, *names.patients}, key=len, reverse=True)
    own = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, known))})(?!\w)")
    return own.sub("(a case)", publishable(record.reason))[:MOST]


def _section(info: RunInfo, names: Pseudonyms) -> Section:
    cases = [
        PublishedCase(
            id=names.cases[case.id],
            patient=names.patients[case.patient],
            labels=case.labels,
            target=case.target,
            scores=case.scores,
            key=names.contents[case.id],
            region_pixels=case.region_pixels,
        )
        for case in info.cohort.cases
    ]
    cohort = PublishedCohort(
        name=info.cohort.name,
        key=names.fingerprint(),
        class_names=info.cohort.class_names,
        region_name=info.cohort.region_name,
        cases=tuple(sorted(cases, key=lambda case: case.id)),
    )
    return Section(
        api_version=info.api_version,
        spec=published(info.spec),
        methods=_without_paths(info.methods),
        metrics=_without_paths(info.metrics),
        model=info.model.model_copy(
            update={"name": publishable(info.model.name), "record": {}, "facts": published(info.model.facts)}
        ),
        cohort=cohort,
        machine=info.machine,
        versions=info.versions,
    )


def _without_paths(
    described: Mapping[str, Described],
) -> dict[str, Described]:
    return {
        name: each.model_copy(update={"parameters": published(each.parameters)})
        for name, each in described.items()
    }
