"""How good the model itself is on the patients whose decisions are explained."""

from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

import numpy as np
import pandas as pd
from scipy import stats

from xaibench.harness.store.run_info import CaseInfo, RunInfo
from xaibench.reports.scoring.groups import class_name
from xaibench.reports.scoring.intervals import estimate


@dataclass(frozen=True)
class Share:
    """So many of so many patients."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """Share of the patients, 0 .. 1."""
        return self.hits / self.of

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of Clopper and Pearson; None for a single patient."""
        found = estimate((np.arange(self.of) < self.hits).astype(np.float64), "share", (0.0, 1.0))
        return None if found.low is None or found.high is None else (found.low, found.high)


@dataclass(frozen=True)
class Performance:
    """True and predicted class of each patient that has exactly one label; at least one patient has."""

    true: tuple[str, ...]
    called: tuple[str, ...]
    names: tuple[str, ...]
    """Classes in the order of their labels."""

    @cached_property
    def accuracy(self) -> Share:
        """Patients whose predicted class is the true one."""
        return Share(sum(t == c for t, c in zip(self.true, self.called, strict=True)), len(self.true))

    @cached_property
    def majority(self) -> Share:
        """Patients of the largest class: what always naming it would get right."""
        return Share(max(self.true.count(name) for name in self.true), len(self.true))

    @cached_property
    def p_above_majority(self) -> float:
        """Exact one-sided binomial test that the accuracy is above the share of the largest class."""
        share = self.majority.value
        return float(stats.binomtest(self.accuracy.hits, self.accuracy.of, share, "greater").pvalue)

    def by_class(self) -> dict[str, Share]:
        """Patients of each class whose predicted class is the true one (sensitivity)."""
        pairs = list(zip(self.true, self.called, strict=True))
        return {n: Share(pairs.count((n, n)), self.true.count(n)) for n in self.names if n in self.true}

    def confusion(self) -> pd.DataFrame:
        """Count patients by true class (rows) and predicted class (columns)."""
        found = pd.crosstab(pd.Series(self.true), pd.Series(self.called))
        rows = [name for name in self.names if name in found.index]
        columns = [name for name in self.names if name in {*found.index, *found.columns}]
        return found.reindex(index=rows, columns=columns, fill_value=0)


def performance_of(info: RunInfo) -> Performance | None:
    """Judge each patient by the mean class probabilities of their cases.

    None where nobody has exactly one label, or the model's classes do not exclude each other.
    """
    cases: dict[str, list[CaseInfo]] = {}
    for case in info.cohort.cases:
        if len(case.labels) == 1:
            cases.setdefault(case.patient, []).append(case)
    if not cases or not info.model.exclusive:
        return None
    true = [own[0].labels[0] for own in cases.values()]
    called = [_called(own) for own in cases.values()]
    return Performance(
        true=tuple(class_name(info, label) for label in true),
        called=tuple(class_name(info, label) for label in called),
        names=tuple(class_name(info, label) for label in sorted({*true, *called})),
    )


def _called(cases: list[CaseInfo]) -> int:
    return int(np.argmax([fmean(column) for column in zip(*(case.scores for case in cases), strict=True)]))
