"""Bilinear upsampling of feature maps to the size of the image."""

from functools import lru_cache

import numpy as np
from jaxtyping import Float32


@lru_cache(maxsize=64)
def interpolation(target: int, source: int) -> Float32[np.ndarray, "target source"]:
    """Weights `[target source]` that resample an axis linearly; each row is >= 0 and sums to 1.

    Pixel centres lie at half-integers, and places outside the outermost centres take the edge value: the
    convention of OpenCV, of tf.image.resize and of skimage (mode "edge"). The array is shared: read only.
    """
    places = np.clip((np.arange(target) + 0.5) * source / target - 0.5, 0, source - 1)
    low = np.floor(places).astype(int)
    high = np.minimum(low + 1, source - 1)
    weights = np.zeros((target, source), np.float32)
    np.add.at(weights, (np.arange(target), low), 1 - (places - low))
    np.add.at(weights, (np.arange(target), high), places - low)
    weights.flags.writeable = False
    return weights


def upsample(
    maps: Float32[np.ndarray, "*lead fh fw"], size: tuple[int, ...]
) -> Float32[np.ndarray, "*lead h w"]:
    """Resize maps bilinearly to `size` = (h, w); no value leaves the range of its map."""
    height, width = size
    rows = interpolation(height, maps.shape[-2])
    columns = interpolation(width, maps.shape[-1])
    resized: np.ndarray = rows @ maps @ columns.T
    return resized
