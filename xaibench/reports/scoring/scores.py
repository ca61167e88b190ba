"""Records of a run to scores: for every method, metric and group of cases a number with its interval, or a reason."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from xaibench.api import Record
from xaibench.harness.cells import spread
from xaibench.harness.store.run_info import RunInfo
from xaibench.reports.scoring.cell import Cell, Score
from xaibench.reports.scoring.groups import ALL, Group, groups_of

GAIN = "gain"
"""Detail of a record: how much better a map is than the same map shifted, more is better; 0 without knowledge."""

Scores = dict[tuple[str, str], Score]
"""Scores of a group by (method, metric), in the order of scores.csv."""
Cells = Mapping[tuple[str, str], Sequence[Record]]
"""Records by (method, metric), each in the order of the cases."""


def cells_of(records: Iterable[Record]) -> Cells:
    """Sort records into cells."""
    cells: dict[tuple[str, str], list[Record]] = {}
    for record in sorted(records, key=lambda r: r.case):
        cells.setdefault((record.method, record.metric), []).append(record)
    return cells


def scores_of(info: RunInfo, cells: Cells) -> dict[Group, Scores]:
    """Score every method by every metric in every group of cases; the whole cohort comes first."""
    found: dict[Group, Scores] = {ALL: {}}
    details = detail_names(cells)
    for metric, facts in sorted(info.metrics.items()):
        expected = expected_cases(info, metric)
        for group, members in groups_of(info, facts.family).items():
            for method in sorted(info.methods):
                records = [r for r in cells.get((method, metric), []) if _belongs(r, group, members)]
                cell = Cell(method, metric, facts, group, len(expected & members), records)
                kept = details.get(metric, []) if group == ALL else [GAIN]
                found.setdefault(group, {}).update({(s.method, s.metric): s for s in cell.scores(kept)})
    return {group: dict(sorted(scores.items())) for group, scores in found.items()}


def _belongs(record: Record, group: Group, members: Collection[str]) -> bool:
    return group == ALL or record.case in members


def detail_names(cells: Cells) -> dict[str, list[str]]:
    """Names of the figures recorded beside the values of each metric, sorted."""
    names: dict[str, set[str]] = {}
    for (_, metric), records in cells.items():
        names.setdefault(metric, set()).update(*(record.details for record in records))
    return {metric: sorted(found) for metric, found in names.items()}


def expected_cases(info: RunInfo, metric: str) -> frozenset[str]:
    """Cases that a metric was to be computed for."""
    patients = set(spread(info.cohort.cases, info.metrics[metric].at_most_patients))
    return frozenset(case.id for case in info.cohort.cases if case.patient in patients)
