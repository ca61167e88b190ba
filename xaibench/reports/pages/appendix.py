"""The small print of a report as plain tables: failures, glossary, parameters, provenance."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xaibench.api import Record, Status
from xaibench.harness.store.records import PastFailure
from xaibench.harness.store.run_info import MetricInfo, RunInfo, Scope
from xaibench.reports.scoring.families import metrics_by_family
from xaibench.reports.text import ABSENT, brief, one_line, plural

SCOPES = {Scope.CASE: "each case", Scope.BATCH: "several cases together", Scope.CLASS: "each class"}


@dataclass(frozen=True)
class Table:
    """A table of text; the first column names its rows."""

    caption: str
    header: list[str]
    rows: list[list[str]]


def gaps(records: Sequence[Record], status: Status) -> list[list[str]]:
    """Reason, methods, metrics and number of cells that came out so; methods alike share a row."""
    cells: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        if record.status is status:
            cells.setdefault((one_line(record.reason), record.method), []).append(record)
    alike: dict[tuple[str, str], list[str]] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for (reason, method), found in sorted(cells.items()):
        row = reason, ", ".join(sorted({record.metric for record in found}))
        alike.setdefault(row, []).append(method)
        counts[row] += len(found)
    return [
        [reason, ", ".join(methods), metrics, str(counts[reason, metrics])]
        for (reason, metrics), methods in alike.items()
    ]


def failure_tables(records: Sequence[Record], history: Sequence[PastFailure]) -> list[Table]:
    """Cells that failed, and ones that do not apply; the caption counts the whole history."""
    header = ["reason", "methods", "metrics", "cells"]
    failed = sum(r.status is Status.FAILED for r in records)
    counted = f"Failed cells: {failed} now; {len(history)} in the whole history of the folder"
    return [
        Table(counted, header, gaps(records, Status.FAILED)),
        Table("Cells that do not apply", header, gaps(records, Status.NOT_APPLICABLE)),
    ]


def glossary(info: RunInfo) -> Table:
    """What every metric is, by family."""
    rows = [
        [
            *(name, family, "higher" if facts.higher_is_better else "lower"),
            *(_range(facts), facts.unit or ABSENT, facts.chance or ABSENT, facts.aggregate),
            *(facts.ranked or "shown, not ranked", _measured_on(facts)),
            *(facts.source, _parameters(facts.parameters), facts.package),
        ]
        for family, names in metrics_by_family(info).items()
        for name in names
        for facts in [info.metrics[name]]
    ]
    header = [
        *(
            "metric",
            "family",
            "better",
            "range",
            "unit",
            "chance",
            "over patients",
            "stands in the ranks for",
        ),
        *("measured on", "source", "parameters", "package"),
    ]
    return Table("Metrics", header, rows)


def _range(facts: MetricInfo) -> str:
    low, high = facts.range
    left = "(-∞" if low is None else f"[{brief(low)}"
    right = "∞)" if high is None else f"{brief(high)}]"
    return f"{left}, {right}"


def _measured_on(facts: MetricInfo) -> str:
    capped = facts.at_most_patients
    limit = f", at most {plural(capped, 'patient')}" if capped is not None else ""
    return SCOPES[facts.scope] + limit + (f"; needs {', '.join(facts.needs)}" if facts.needs else "")


def methods(info: RunInfo) -> Table:
    """What every method is and with which parameters it ran."""
    rows = [
        [
            *(name, facts.family, ", ".join(facts.needs) or "nothing", facts.source),
            *(_parameters(facts.parameters), facts.package),
        ]
        for name, facts in sorted(info.methods.items())
    ]
    return Table("Methods", ["method", "family", "needs", "source", "parameters", "package"], rows)


def _parameters(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in sorted(parameters.items())) or "none"


def provenance(info: RunInfo) -> list[Table]:
    """Keys, the specification, machine and versions: what is needed to run it again."""
    model = info.model
    parts: dict[str, Mapping[str, Any]] = {
        "Keys (hashes of what was run)": {"model": model.key, "cohort": info.cohort.key},
        "Specification": info.spec,
        "Model": {
            **model.facts,
            **{"name": model.name, "classes": list(model.class_names), "input": list(model.input_shape)},
            **{"offers": list(model.offers), "patients": model.held_out.value},
        },
        "Training": _training(model.record.get("training", {}).get("settings", {})),
        "Machine": info.machine.model_dump(),
        "Versions": info.versions,
        "Commands in this folder": {str(request.at): _text(request.spec) for request in info.history},
    }
    return [Table(title, ["what", "value"], _pairs(facts.items())) for title, facts in parts.items() if facts]


def _training(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a cross-validated model, nested ones named by both names."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        flat |= {f"{key}: {k}": v for k, v in value.items()} if isinstance(value, dict) else {key: value}
    return flat


def _pairs(items: Iterable[tuple[str, Any]]) -> list[list[str]]:
    return [[str(key), _text(value)] for key, value in sorted(items)]


def _text(value: Any) -> str:
    """Write a fact as a reader would; lists with commas, numbers without rounding noise."""
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {_text(part)}" for key, part in value.items()) or "none"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "none" if value is None else str(value)
