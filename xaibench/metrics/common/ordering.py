"""Order of a heatmap's pixels, with ties broken by a seeded permutation and never by raster order."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int, UInt64

from xaibench.api import Heatmap

LOW_HALF = np.uint64(0xFFFFFFFF)
SIGN_BIT = np.uint32(0x80000000)


class Ordering(NamedTuple):
    """Pixels from the hottest to the coldest."""

    ranks: Int[np.ndarray, "*space"]
    """Place of each pixel: 0 for the hottest, one less than the number of pixels for the coldest."""
    tied_share: float
    """Share of the pixels whose value another pixel has as well, 0 .. 1."""


def ordering(heatmap: Heatmap, seed: int) -> Ordering:
    """Rank the pixels of a finite heatmap; those of one value come in a random order that the seed decides.

    A constant map is thus in random order throughout: it expresses no preference.
    """
    shuffled = np.random.default_rng(seed).permutation(heatmap.size)
    keys = np.sort(_keys(heatmap.ravel()[shuffled]))
    hottest_first = shuffled[(keys & LOW_HALF).astype(np.intp)]
    ranks = np.empty(heatmap.size, np.int32)
    ranks[hottest_first] = np.arange(heatmap.size, dtype=np.int32)
    return Ordering(ranks.reshape(heatmap.shape), _tied_share(heatmap.ravel()[hottest_first]))


def _keys(values: Float32[np.ndarray, "n"]) -> UInt64[np.ndarray, "n"]:
    """Integers that sort as the values descend and, among equal values, as their positions ascend.

    No two are equal, so that every sorting algorithm gives the same order, and the fastest may be used (a
    stable argsort of 128 x 128 floats takes nine times as long). The high half is the negated value's bits:
    those of positive floats sort as integers do, and those of negative floats the other way round.
    """
    bits = (np.float32(0) - values).view(np.uint32)  # 0 - x is never -0, so 0 and -0 are one value
    ascending = np.where(bits & SIGN_BIT, ~bits, bits | SIGN_BIT).astype(np.uint64)
    return (ascending << np.uint64(32)) | np.arange(values.size, dtype=np.uint64)


def _tied_share(descending: Float32[np.ndarray, "n"]) -> float:
    repeated = descending[1:] == descending[:-1]
    return float((np.append(repeated, False) | np.append(False, repeated)).mean())
