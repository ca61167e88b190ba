"""Entries that are ranked together: of one cohort and model, by metrics that are the same, over the same patients."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from xaibench.api import Record
from xaibench.harness.store.run_info import MethodInfo, MetricInfo, RunInfo
from xaibench.reports.board.contents import Posted
from xaibench.reports.board.entry import Section
from xaibench.reports.board.results import record_of
from xaibench.reports.board.scores import scores_over_cells
from xaibench.reports.board.tolerance import agrees, is_comparable
from xaibench.reports.scoring.groups import ALL, Group
from xaibench.reports.scoring.results import Results
from xaibench.reports.scoring.scores import Scores

Own = Sequence[Record]
"""Records of one method."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Together(Results):
    """Entries that are ranked together, as the results of one run; the images stay where they are."""

    posted: Sequence[Posted]
    origins: Mapping[str, Sequence[Posted]]
    """Entries that each method comes from; several where they agree."""

    @cached_property
    def by_group(self) -> Mapping[Group, Scores]:
        """Scores over patients, computed anew, of the whole cohort."""
        cases = len(self.info.cohort.cases)
        return {ALL: scores_over_cells(self.info.methods, self.info.metrics, self.cells, cases)}


def ranked_together(page: Sequence[Posted]) -> list[Together]:
    """Split the standing entries of a page into those whose metrics are the same, the first that fits.

    A metric is the same where all that is declared of it is: parameters, code, direction, range, seed. Metrics that
    draw take the run's seed, so entries of different seeds stand apart unless no metric draws.
    """
    groups: list[list[Posted]] = []
    for one in page:
        if one.withdrawal is None:
            fitting = [group for group in groups if all(_fit(one, other) for other in group)]
            fitting[0].append(one) if fitting else groups.append([one])
    return [_joined(group) for group in groups]


def _fit(first: Posted, second: Posted) -> bool:
    own, other = first.section.metrics, second.section.metrics
    shared = own.keys() & other.keys()
    return all(own[name] == other[name] for name in shared) and any(own[name].ranked for name in shared)


def _joined(group: Sequence[Posted]) -> Together:
    metrics = {name: facts for one in group for name, facts in one.section.metrics.items()}
    methods: dict[str, MethodInfo] = {}
    origins: dict[str, list[Posted]] = {}
    records: list[Record] = []
    for one in group:
        for name, own in _by_method(one).items():
            facts = one.section.methods[name]
            known = methods.get(name) == facts and _alike(own, records, name, metrics)
            shown = name if known or name not in methods else f"{name}@{one.short}"
            origins.setdefault(shown, []).append(one)
            if not known:
                methods[shown] = facts
                records += [replace(record, method=shown) for record in own]
    info = _as_run(group[0].section, methods, metrics)
    return Together(info=info, records=records, cases={}, posted=group, origins=origins)


def _as_run(
    section: Section, methods: Mapping[str, MethodInfo], metrics: Mapping[str, MetricInfo]
) -> RunInfo:
    return RunInfo(
        spec=section.spec,
        methods=methods,
        metrics=metrics,
        model=section.model,
        cohort=section.cohort.as_run(),
        machine=section.machine,
        versions=section.versions,
    )


def _by_method(one: Posted) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {name: [] for name in sorted(one.section.methods)}
    for row in one.published.rows:
        found[row.method].append(record_of(row))
    return found


def _alike(own: Own, records: Own, name: str, metrics: Mapping[str, MetricInfo]) -> bool:
    """Whether another run of a method found the same, times aside: then it is one row of both entries."""
    known = {(r.metric, r.case): r for r in records if r.method == name and is_comparable(metrics[r.metric])}
    mine = {(r.metric, r.case): r for r in own if is_comparable(metrics[r.metric])}
    return known.keys() == mine.keys() and all(
        _same(metrics[metric], record, known[metric, case]) for (metric, case), record in mine.items()
    )


def _same(facts: MetricInfo, first: Record, second: Record) -> bool:
    if first.value is None or second.value is None:
        return first.status is second.status
    return agrees(facts, first.value, second.value)
