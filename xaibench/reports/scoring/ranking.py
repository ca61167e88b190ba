"""Who stands where: ranks within patients, averaged over patients, facts and families, and how sure that is.

A place is what the tests allow, not where a mean rank happens to lie. Drawing patients again and reading off the
places does not tell it: such a nominal 95 % interval held the true place of 47 to 74 % of 8 methods where all, or all
but one, were equal (4, 8 and 28 patients), and of 81 to 99 % where no two were. A place counts the methods that the
test of all pairs tells to be better and to be worse (Mogstad et al. 2024, Rev. Econ. Stud. 91); see
tests/reports/test_ranking.py for how often it holds the true places.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy import stats

from xaibench.reports.scoring.intervals import as_written
from xaibench.reports.scoring.rank_test import DECIMALS, PerPatient, RankTest, rank_test


@dataclass(frozen=True, eq=False)
class RankedMetric:
    """A metric that counts, and its values of the ranked methods."""

    family: str
    fact: str
    """What the metric stands for; metrics of one fact count as one."""
    higher_is_better: bool
    patients: tuple[str, ...]
    """Pseudonyms of the columns of `values`, in any order."""
    values: PerPatient
    """One value a method and patient; a patient with a NaN is left out for all methods."""


@dataclass(frozen=True, eq=False)
class RankTable:
    """Ranks within patients by fact."""

    methods: tuple[str, ...]
    fact_families: tuple[str, ...]
    """Family of each fact."""
    ranks: Float[np.ndarray, "facts methods patients"]
    """1 = best; NaN for patients in whom the fact was not measured."""

    @property
    def families(self) -> tuple[str, ...]:
        """Families in the order in which their facts come."""
        return tuple(dict.fromkeys(self.fact_families))

    def family_ranks(
        self, weights: Float[np.ndarray, "draws patients"]
    ) -> Float[np.ndarray, "draws families methods"]:
        """Weighted mean over patients, then mean over the facts of each family; NaN where nobody has one."""
        measured = np.isfinite(self.ranks[:, 0]).astype(float)
        sums = np.einsum("fmp,dp->dfm", np.nan_to_num(self.ranks), weights)
        facts = _ratio(sums, (weights @ measured.T)[:, :, None])
        family_of = np.array(self.fact_families)
        return np.stack([mean(facts[:, family_of == family], axis=1) for family in self.families], axis=1)

    def parts(self) -> PerPatient:
        """What each patient contributes to each method's mean rank: the sum over patients is the mean rank."""
        measured = np.isfinite(self.ranks[:, 0])
        usable = [
            family if any(row) else None for family, row in zip(self.fact_families, measured, strict=True)
        ]
        alike = np.array([usable.count(family) for family in usable]) * len({*usable} - {None})
        weights = measured / np.maximum(measured.sum(axis=1), 1)[:, None] / alike[:, None]
        parts: PerPatient = np.einsum("fmp,fp->mp", np.nan_to_num(self.ranks), weights)
        return parts


@dataclass(frozen=True)
class Standing:
    """Where a method stands."""

    method: str
    mean_rank: float
    """Mean over families of the mean over facts of the mean over patients of the rank; 1 = best."""
    family_ranks: Mapping[str, float]
    place: int
    """The first that the data allow: one behind all methods that are told to be better. Methods share it."""
    last_place: int
    """The last that the data allow: one before all methods that are told to be worse.

    The true places of all methods lie from `place` to `last_place` with 95 % probability.
    """


@dataclass(frozen=True, eq=False)
class Ranking:
    """All ranked methods, and the test behind their places."""

    standings: tuple[Standing, ...]
    """By mean rank, best first."""
    test: RankTest
    """Of the mean ranks; its arrays are in the order of `standings`."""


def ranks_within_patients(values: PerPatient, higher_is_better: bool) -> PerPatient:
    """Rank the methods of each patient, 1 = best; ties share the mean of their ranks.

    Values that agree in six digits are ties, as in scores.csv. Patients with a value that is not finite have NaN only.
    """
    ranks = np.full(values.shape, np.nan)
    complete = np.isfinite(values).all(axis=0)
    signed = as_written(-values if higher_is_better else values)
    ranks[:, complete] = stats.rankdata(signed[:, complete], axis=0)
    return ranks


def rank_table(methods: Sequence[str], metrics: Sequence[RankedMetric]) -> RankTable:
    """Rank by each of at least one metric, and average the metrics of one fact within each patient."""
    patients = sorted({patient for metric in metrics for patient in metric.patients})
    facts: dict[tuple[str, str], list[PerPatient]] = {}
    for metric in metrics:
        placed = np.full((len(methods), len(patients)), np.nan)
        columns = np.searchsorted(patients, metric.patients)
        placed[:, columns] = ranks_within_patients(metric.values, metric.higher_is_better)
        facts.setdefault((metric.family, metric.fact), []).append(placed)
    ranks = np.stack([mean(np.stack(found), axis=0) for found in facts.values()])
    ranked = np.isfinite(ranks[:, 0]).any(axis=0)
    return RankTable(tuple(methods), tuple(family for family, _ in facts), ranks[:, :, ranked])


def ranking_of(table: RankTable) -> Ranking:
    """Place the methods of a table with at least one patient."""
    n = table.ranks.shape[2]
    by_family = table.family_ranks(np.ones((1, n)))[0]
    means = np.round(mean(by_family, axis=0), DECIMALS)
    order = sorted(range(len(means)), key=lambda method: (means[method], table.methods[method]))
    test = rank_test(table.parts()[order])
    standings = tuple(
        Standing(
            table.methods[method],
            float(means[method]),
            dict(zip(table.families, by_family[:, method].tolist(), strict=True)),
            place=1 + int(test.better[:, position].sum()),
            last_place=len(order) - int(test.better[position].sum()),
        )
        for position, method in enumerate(order)
    )
    return Ranking(standings, test)


def pareto_front(
    quality: Float[np.ndarray, "methods"], cost: Float[np.ndarray, "methods"]
) -> Bool[np.ndarray, "methods"]:
    """Tell which methods no other beats in both, lower being better; what has a NaN is not on the front."""
    no_worse = (quality[:, None] <= quality) & (cost[:, None] <= cost)
    better = no_worse & ((quality[:, None] < quality) | (cost[:, None] < cost))
    return np.asarray(~better.any(axis=0) & np.isfinite(quality + cost))


def mean(values: Float[np.ndarray, "..."], axis: int) -> Float[np.ndarray, "..."]:
    """Mean of what is not NaN; NaN where there is nothing."""
    return _ratio(np.nansum(values, axis=axis), np.isfinite(values).sum(axis=axis))


def _ratio(sums: Float[np.ndarray, "..."], counts: np.ndarray) -> Float[np.ndarray, "..."]:
    ratio = np.full(sums.shape, np.nan)
    np.divide(sums, counts, out=ratio, where=np.broadcast_to(counts > 0, sums.shape))
    return ratio
