"""How much the winner hangs on these patients, and on each family of metrics."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from xaibench.reports.scoring.rank_test import DECIMALS
from xaibench.reports.scoring.ranking import RankTable, mean

DRAWS = 1000

OverallRanks = Float[np.ndarray, "draws methods"]


@dataclass(frozen=True)
class Stability:
    """How stable the winner is."""

    first: Mapping[str, float]
    """Share of draws in which each method comes first; ties share."""
    without: Mapping[str, tuple[str, ...]]
    """Who would come first if a family did not count; empty where there is one family only."""


def stability_of(table: RankTable) -> Stability:
    """Draw as many patients again, 1000 times, and leave out each family once.

    A description, not a test: of few patients it says little, of one nothing.
    """
    n = table.ranks.shape[2]
    counts = np.random.default_rng(n).multinomial(n, np.full(n, 1 / n), DRAWS).astype(float)
    first = _first(mean(table.family_ranks(counts), axis=1))
    shares = (first / first.sum(axis=1, keepdims=True)).mean(axis=0)
    return Stability(dict(zip(table.methods, shares.tolist(), strict=True)), _without_each_family(table))


def _without_each_family(table: RankTable) -> dict[str, tuple[str, ...]]:
    if len(table.families) == 1:
        return {}
    by_family = table.family_ranks(np.ones((1, table.ranks.shape[2])))
    firsts = {
        family: _first(mean(np.delete(by_family, i, axis=1), axis=1))[0]
        for i, family in enumerate(table.families)
    }
    return {
        family: tuple(method for method, wins in zip(table.methods, first, strict=True) if wins)
        for family, first in firsts.items()
    }


def _first(ranks: OverallRanks) -> Bool[np.ndarray, "draws methods"]:
    rounded = np.round(ranks, DECIMALS)
    return np.asarray(rounded == rounded.min(axis=1, keepdims=True))
