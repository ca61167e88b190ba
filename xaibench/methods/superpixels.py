"""Superpixels, shared by the methods that hide regions of an image."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int, Real

from xaibench.api import Heatmap, Image

Segments = Int[np.ndarray, "h w"]
"""Number of the superpixel of each pixel, from 0."""


def superpixels(image: Image, count: int, compactness: float = 0.2, smoothing: float = 1.0) -> Segments:
    """Cut an image into about `count` superpixels by SLIC (Achanta et al. 2012) on the channel mean.

    `compactness` balances nearness and likeness for intensities scaled to [0, 1]. `smoothing` is the standard
    deviation in pixels of the blur before; without it noise can melt all superpixels into one. SLIC starts from a
    regular grid, so nothing is drawn.
    """
    from skimage.segmentation import slic  # slow to import

    labels: np.ndarray = slic(
        image.mean(axis=-1),
        n_segments=count,
        compactness=compactness,
        sigma=smoothing,
        start_label=0,
        channel_axis=None,
    )
    return labels


@dataclass(frozen=True, eq=False)
class RegionMasks:
    """Masks `[m h w]` that keep each superpixel to some part, 0 .. 1; made when asked for."""

    kept: Real[np.ndarray, "m segments"]
    segments: Segments

    def __len__(self) -> int:
        """Return the number of masks."""
        return len(self.kept)

    def __getitem__(self, index: slice) -> Float32[np.ndarray, "some h w"]:
        """Return the masks of a slice."""
        return np.take(self.kept[index].astype(np.float32), self.segments, axis=1)


def painted(values: Real[np.ndarray, "segments"], segments: Segments) -> Heatmap:
    """Give every pixel the value of its superpixel."""
    heatmap: Heatmap = values.astype(np.float32)[segments]
    return heatmap


def spread(values: Real[np.ndarray, "segments"], segments: Segments) -> Heatmap:
    """Spread the value of each superpixel evenly over its pixels, so that the sum stays."""
    return painted(values / np.bincount(segments.ravel(), minlength=len(values)), segments)


def means_of(image: Image, segments: Segments) -> Image:
    """Every superpixel filled with its mean, a channel at a time."""
    sizes = np.bincount(segments.ravel())
    means = [
        np.bincount(segments.ravel(), weights=channel.ravel()) / sizes
        for channel in np.moveaxis(image, -1, 0)
    ]
    flat: Image = np.stack(means, axis=-1).astype(np.float32)[segments]
    return flat
