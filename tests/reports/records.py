"""Records and results of a few made-up values, one case a patient."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tests.reports.made_up import case_info, info_of
from xaibench.api import Record, Status
from xaibench.reports.scoring.results import Results

Values = Mapping[str, Mapping[str, Sequence[float | None]]]
"""Values of the patients by method and metric; None is a failed case."""
CONTROLS = ("mask", "random", "random-smooth", "edges", "centre")


def records_of(
    metric: str, values: Sequence[float | None], method: str = "lime", **details: Sequence[float]
) -> list[Record]:
    """One case a patient; `details` are figures recorded beside the values."""
    found = []
    for number, value in enumerate(values):
        case = case_info(number)
        record = Record(case.id, case.patient, method, metric, Status.FAILED, reason="ValueError: no")
        if value is not None:
            beside = {name: column[number] for name, column in details.items()}
            record = replace(record, status=Status.OK, value=value, reason="", details=beside)
        found.append(record)
    return found


def results_of(
    values: Values, *, labels: Sequence[int] = (), right: Sequence[bool] = (), gain: bool = True, **model: Any
) -> Results:
    """Results of a run; a gain beside a value is the value itself, less 1 (chance) for enrichment."""
    metrics = sorted({metric for row in values.values() for metric in row})
    patients = max(len(column) for row in values.values() for column in row.values())
    cases = [case_info(n, labels[n] if labels else 0, right[n] if right else True) for n in range(patients)]
    families = {name: "control" if name in CONTROLS else "cam" for name in values}
    records = [
        record
        for name, row in values.items()
        for metric, column in row.items()
        for record in records_of(metric, column, name, **_gains(metric, column, gain))
    ]
    return Results(info_of(families, metrics, cases, **model), records, {})


def _gains(metric: str, column: Sequence[float | None], gain: bool) -> dict[str, list[float]]:
    chance = {"morf-lerf": 0.0, "enrichment": 1.0}
    if not gain or metric not in chance:
        return {}
    return {"gain": [0.0 if value is None else value - chance[metric] for value in column]}


def around(middle: float, patients: int = 12) -> list[float]:
    """Values about a middle, symmetric and all different."""
    return [middle * (1 + 0.01 * (i + 1) * (-1) ** i) for i in range(patients)]
