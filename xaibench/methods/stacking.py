"""How the maps of a class's images are put together into one simulated image."""

from enum import StrEnum

import numpy as np
from jaxtyping import Float32, Int

from xaibench.api import CohortExplanation, Heatmaps, Images, Regions

Shares = Float32[np.ndarray, "n h w"]


class Combine(StrEnum):
    """Which image each pixel of the simulated image comes from."""

    MAX = "max"
    """The image whose map is highest there (the paper's)."""
    MEAN = "mean"
    """All images in equal parts."""
    RANDOM = "random"
    """An image drawn from those whose map is above 0 there, each as likely."""
    SOFTMAX = "softmax"
    """All images, in parts that grow exponentially with their map, in units of the maps' standard deviation."""


def stack(
    maps: Heatmaps, contents: Images, regions: Regions | None, combine: Combine, rng: np.random.Generator
) -> CohortExplanation:
    """Combine contents, maps and annotated regions pixel by pixel, all in the same shares.

    The simulated image, the stacked map and the region start at 0, and stay there where no map is above 0 (max and
    random). `sources` counts the given images from 0: the one taken, or the one with the largest part; -1 where
    no map is above 0. The region is None without regions.
    """
    shares = _shares(maps, combine, rng)
    largest = maps.argmax(axis=0) if combine is Combine.MEAN else shares.argmax(axis=0)
    return CohortExplanation(
        image=np.einsum("nhw,nhwc->hwc", shares, contents),
        map=np.einsum("nhw,nhw->hw", shares, maps),
        sources=np.where((maps > 0).any(axis=0), largest, -1),
        region=None if regions is None else _composed(regions, shares),
    )


def _composed(regions: Regions, shares: Shares) -> Float32[np.ndarray, "h w"]:
    """Part of each pixel that comes from annotated regions; rounding may not lift it above 1."""
    composed: np.ndarray = np.einsum("nhw,nhw->hw", shares, regions.astype(np.float32))
    return composed.clip(0, 1)


def _shares(maps: Heatmaps, combine: Combine, rng: np.random.Generator) -> Shares:
    """Part of each image in each pixel: the parts of a pixel sum to 1, or are all 0."""
    if combine is Combine.MEAN:
        return np.full(maps.shape, 1 / len(maps), np.float32)
    if combine is Combine.SOFTMAX:
        return _softmax(maps)
    eligible = maps if combine is Combine.MAX else rng.random(maps.shape, dtype=np.float32) * (maps > 0)
    return _all_to(eligible.argmax(axis=0), len(maps)) * (maps > 0)


def _all_to(winners: Int[np.ndarray, "h w"], count: int) -> Shares:
    """1 for the winner of each pixel, 0 for the others."""
    taken: np.ndarray = np.arange(count)[:, None, None] == winners
    return taken.astype(np.float32)


def _softmax(maps: Heatmaps) -> Shares:
    """Softmax over the images of the maps divided by their standard deviation; equal parts where that is 0."""
    spread = maps.std() or np.float32(1)
    powers = np.exp((maps - maps.max(axis=0)) / spread)
    shares: np.ndarray = powers / powers.sum(axis=0)
    return shares
