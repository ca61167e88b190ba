"""Images without evidence: what the pixels that a metric removes are replaced by."""

from collections.abc import Callable, Mapping
from functools import reduce

import numpy as np
from jaxtyping import Float32

from xaibench.api import Image

BLUR = 0.1
"""Sigma of the blur baseline, as a share of the image's size along each axis (12.8 pixels at 128)."""


def blur(image: Image) -> Image:
    """Gaussian blur of the original image, mirrored at its borders.

    The blurred canvas is that of Petsiuk et al. 2018 (arXiv:1806.07421, sec. 4.1): unlike a constant it
    adds no edges of its own. A cosine transform makes the mirror, and each of its waves shrinks by the
    Gaussian's own transform; its cost does not grow with sigma, and it starts no threads that would compete
    with the model's (a threaded matrix product stalled for tens of milliseconds).
    """
    from scipy.fft import dctn, idctn

    axes = tuple(range(image.ndim - 1))
    shrinkage = reduce(np.multiply.outer, map(_shrinkage, image.shape[:-1]))
    blurred: Image = idctn(dctn(image, axes=axes) * shrinkage[..., None], axes=axes)
    return blurred


def mean(image: Image) -> Image:
    """Mean of the original image, a channel at a time."""
    axes = tuple(range(image.ndim - 1))
    average = image.mean(axis=axes, dtype=np.float64).astype(np.float32)
    return np.broadcast_to(average, image.shape).copy()


def black(image: Image) -> Image:
    """Lowest intensity of the original image."""
    return np.full_like(image, image.min())


FIXED: Mapping[str, Callable[[Image], Image]] = {"blur": blur, "mean": mean, "black": black}
"""Baselines that are one image, whichever pixels are removed."""


def _shrinkage(size: int) -> Float32[np.ndarray, "size"]:
    """Factor by which the blur scales each wave along an axis: exp(-(sigma omega)^2 / 2)."""
    frequencies = np.pi * np.arange(size) / size
    factors: np.ndarray = np.exp(-((BLUR * size * frequencies) ** 2) / 2)
    return factors.astype(np.float32)
