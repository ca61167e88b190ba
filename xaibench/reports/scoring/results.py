"""A run folder read and scored once, for all reports."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from xaibench.api import Case, Record
from xaibench.harness.store.folder import RunFolder
from xaibench.harness.store.run_info import RunInfo
from xaibench.reports.scoring.agreement import Agreement, agreements
from xaibench.reports.scoring.comparable import Comparable, comparable
from xaibench.reports.scoring.families import in_order
from xaibench.reports.scoring.groups import ALL, Group, groups_of
from xaibench.reports.scoring.leaderboard import Leaderboard, leaderboard_of
from xaibench.reports.scoring.location import METRIC, Location, locations
from xaibench.reports.scoring.performance import Performance, performance_of
from xaibench.reports.scoring.rank_test import PerPatient
from xaibench.reports.scoring.ranking import mean
from xaibench.reports.scoring.scores import Cells, Scores, cells_of, detail_names, scores_of


@dataclass(frozen=True, eq=False)
class Results:
    """A run's facts, records and cases, and what follows from them, computed once when it is asked for."""

    info: RunInfo
    records: Sequence[Record]
    cases: Mapping[str, Case]

    @cached_property
    def cells(self) -> Cells:
        """Records by method and metric."""
        return cells_of(self.records)

    @cached_property
    def by_group(self) -> Mapping[Group, Scores]:
        """Scores by group of cases, the whole cohort first."""
        return scores_of(self.info, self.cells)

    @property
    def scores(self) -> Scores:
        """Scores of the whole cohort."""
        return self.by_group[ALL]

    @cached_property
    def comparable(self) -> Comparable:
        """Which explainers are ranked over which metrics."""
        return comparable(self.info, self.cells)

    @cached_property
    def board(self) -> Leaderboard:
        """Who stands where."""
        return leaderboard_of(self.info, self.cells, self.scores, self.comparable)

    @cached_property
    def locations(self) -> tuple[Location, ...]:
        """Where the relevance of the explainers lies, over all patients."""
        return self.locations_of() if METRIC in self.info.metrics else ()

    def locations_of(self, members: Container[str] | None = None) -> tuple[Location, ...]:
        """Where the relevance of the explainers lies, over some cases."""
        return locations(self.info, self.cells, self.explainers(METRIC), members)

    def explainers(self, metric: str) -> Sequence[str]:
        """Explainers that may be compared by a metric: those that miss at most a tenth of its cases."""
        return self.comparable.explainers.get(metric, self.info.competitors())

    @cached_property
    def fact_agreements(self) -> tuple[Agreement, ...]:
        """How alike the facts that count order the explainers."""
        return agreements(dict(zip(self.board.facts, self._ranks(), strict=True)))

    @cached_property
    def family_agreements(self) -> tuple[Agreement, ...]:
        """How alike the families that count order the explainers."""
        table, ranks = self.board.table, self._ranks()
        if table is None:
            return ()
        of = {
            family: [r for f, r in zip(table.fact_families, ranks, strict=True) if f == family]
            for family in in_order(table.families)
        }
        return agreements({family: mean(np.stack(found), axis=0) for family, found in of.items()})

    def _ranks(self) -> list[PerPatient]:
        """Ranks within patients of each fact."""
        return [] if self.board.table is None else list(self.board.table.ranks)

    @cached_property
    def performance(self) -> Performance | None:
        """How good the model is; None where no patient has exactly one label."""
        return performance_of(self.info)

    @cached_property
    def _details(self) -> Mapping[str, Sequence[str]]:
        return detail_names(self.cells)

    def has_detail(self, metric: str, detail: str) -> bool:
        """Whether a figure was recorded beside the values of a metric."""
        return detail in self._details.get(metric, ())

    def groups(self, metric: str) -> dict[Group, frozenset[str]]:
        """Case names by the groups that a metric is split by."""
        return groups_of(self.info, self.info.metrics[metric].family)


def read(folder: RunFolder) -> Results:
    """Read a run. Raises XaibenchError where the folder holds none."""
    return Results(folder.info(), folder.records(), folder.cases())
