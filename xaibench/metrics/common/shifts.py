"""Chance, measured: what the same map scores when its place carries no knowledge.

The map is shifted around the image's torus: its values, their smoothness and their number stay, and only the place
is lost. The mean over all shifts is what the place is worth; a few drawn ones estimate it without bias.
"""

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from xaibench.api import Case, Measurement, Region, seed_of
from xaibench.metrics.common.once import once_a_case

SHIFTS = 4


def with_shifted(
    values: Shaped[np.ndarray, "*space"], case: Case, seed: int
) -> Shaped[np.ndarray, "n *space"]:
    """Return a map (or the ranks of its pixels) and its shifted copies, `[1 + SHIFTS *space]`."""
    axes = tuple(range(values.ndim))
    return np.stack([np.roll(values, offset, axes) for offset in _offsets(case, values.shape, seed)])


@once_a_case
def seen_by_shifted(case: Case, seed: int) -> Bool[np.ndarray, "n *space"]:
    """Return the region of an annotated case as the map and its shifted copies meet it, `[1 + SHIFTS *space]`.

    A region shifted the other way meets the same pixels of the map as the region itself meets of the shifted map.
    """
    region: Region = np.asarray(case.region)
    axes = tuple(range(region.ndim))
    return np.stack([np.roll(region, -offset, axes) for offset in _offsets(case, region.shape, seed)])


def measured(
    values: Float[np.ndarray, "n"], higher_is_better: bool, details: dict[str, float] | None = None
) -> Measurement:
    """Return the map's value, with its gain over its shifted copies: positive if the place is worth something."""
    gain = values[0] - values[1:].mean()
    return Measurement(
        float(values[0]), {"gain": float(gain if higher_is_better else -gain)} | (details or {})
    )


def _offsets(case: Case, space: tuple[int, ...], seed: int) -> Int[np.ndarray, "n axes"]:
    """No shift, then the shifts of the case: the same for every metric and every map."""
    rng = np.random.default_rng(seed_of(seed, case.id, "shifts"))
    return np.concatenate([np.zeros((1, len(space)), np.int64), rng.integers(0, space, (SHIFTS, len(space)))])
