"""What a reader sees in which order: all maps mixed, and some of the first ones again at the end."""

import math
from collections.abc import Sequence

import numpy as np

from xaibench.reports.readers.formats import ReaderKey, Shown

MOST_REPEATED = 1 / 3
"""Largest share of maps that come twice: they are drawn from the first third, and come again in the last."""

Map = tuple[str, str]
"""Case and method."""


def drawn_order(maps: Sequence[Map], repeated: float, draw: np.random.Generator) -> ReaderKey:
    """Mix maps for one reader; a share of them, at least one, is shown twice.

    A repeat is drawn from the first third of the maps and stands in the last third, so that at least a third of
    the maps lies between the two. Names of items and images are random, and say nothing of case or method.
    `repeated` is in [0, 1/3].
    """
    mixed = [maps[number] for number in draw.permutation(len(maps))]
    count = min(math.ceil(repeated * len(maps)), len(maps) // 3)
    tokens = _tokens(len(maps) + count, draw)
    shown = [
        Shown(item=token, case=case, method=method)
        for token, (case, method) in zip(tokens, mixed, strict=False)
    ]
    first = draw.choice(len(maps) // 3, size=count, replace=False) if count else ()
    for token, number in zip(tokens[len(maps) :], first, strict=True):
        again = shown[number].model_copy(update={"item": token, "repeats": shown[number].item})
        shown.insert(int(draw.integers(2 * len(maps) // 3, len(shown) + 1)), again)
    cases = sorted({case for case, _ in maps})
    return ReaderKey(shown=tuple(shown), images=dict(zip(_tokens(len(cases), draw), cases, strict=True)))


def _tokens(count: int, draw: np.random.Generator) -> list[str]:
    """Different random names."""
    found: dict[str, None] = {}
    while len(found) < count:
        found[draw.bytes(6).hex()] = None
    return list(found)
