"""Which cells of an entry are run again, and how likely that finds a forged one."""

import math
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import stats

CellName = tuple[str, str]
"""A method and a case, or a method and a class."""


@dataclass(frozen=True)
class Sample:
    """How many cells are drawn, and from which seed."""

    seed: int
    share: float = 0.05
    at_least: int = 20

    def draw(self, cells: Iterable[CellName]) -> list[CellName]:
        """Draw cells without replacement: a share of them, at least so many, at most all."""
        known = sorted(set(cells))
        wanted = min(len(known), max(self.at_least, math.ceil(self.share * len(known))))
        chosen = np.random.default_rng(self.seed).choice(len(known), wanted, replace=False)
        return [known[number] for number in sorted(chosen)]


def chance_to_find(cells: int, sampled: int, forged: int) -> float:
    """Probability that at least one of the forged cells is drawn (hypergeometric)."""
    return float(stats.hypergeom.sf(0, cells, forged, sampled))


def unforeseen_seed() -> int:
    """Seed that nobody could know when they made an entry."""
    return secrets.randbits(31)
