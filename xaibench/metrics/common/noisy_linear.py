"""Noisy linear imputation (Rong et al. 2022, "A Consistent and Efficient Evaluation Strategy", ROAD).

arXiv:2202.00449: removed pixels are filled in so smoothly that the shape of the removed region
gives nothing away, which a constant colour does.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from xaibench.api import Image, Images, NotApplicable, Region, Regions
from xaibench.metrics.common.intensity import robust_range

NOISE = 0.01
"""Sigma of the noise on the filled pixels, as a share of the image's own robust range."""


def draw_noise(image: Image, seed: int) -> Image:
    """One noise image; a pixel gets the same noise in whichever step and for whichever heatmap it is removed."""
    noise: Image = np.random.default_rng(seed).standard_normal(image.shape, dtype=np.float32)
    return noise * np.float32(NOISE * robust_range(image))


def fill_each(image: Image, kept: Regions, noise: Image) -> Images:
    """Copies of the image `[n h w c]`, in each of which the pixels not kept are filled in, with noise.

    Raises NotApplicable for volumes: the paper gives weights for the neighbours in a plane only.
    """
    if image.ndim != 3:
        raise NotApplicable("the baseline noisy-linear is defined for slices, not for volumes")
    return np.stack([np.where(region[..., None], image, fill(image, region) + noise) for region in kept])


def fill(image: Image, kept: Region) -> Image:
    """Make every pixel not kept the weighted mean of its neighbours, all at once (a sparse linear system).

    The 4 direct neighbours weigh 1/6 each and the 4 diagonal ones 1/12; at the image's border, those that
    exist, rescaled. Where no pixel is kept, any constant solves the system: the image's mean is taken.
    """
    if not kept.any():
        return np.broadcast_to(image.mean(axis=(0, 1)), image.shape).copy()
    if kept.all():
        return image.copy()
    known = kept.ravel()
    pixels = image.reshape(known.size, -1).astype(np.float64)
    pixels[~known] = _solved(_neighbours(*kept.shape)[~known], known, pixels)
    return pixels.reshape(image.shape).astype(np.float32)


def _solved(weights: Any, known: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Values of the unknown pixels; `weights` are those pixels' rows of the neighbour matrix."""
    from scipy import sparse
    from scipy.sparse.linalg import splu

    totals = np.asarray(weights.sum(axis=1)).ravel()
    system = sparse.diags_array(totals) - weights[:, ~known]
    factors = splu(system.tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    solved: np.ndarray = factors.solve(weights[:, known] @ pixels[known])
    return solved


@lru_cache(maxsize=4)
def _neighbours(height: int, width: int) -> Any:
    """Weight of each pixel (columns) in the mean for each other (rows), pixels in raster order."""
    from scipy import sparse

    rows, columns = (_chain(size) for size in (height, width))
    direct = sparse.kron(rows, sparse.eye_array(width)) + sparse.kron(sparse.eye_array(height), columns)
    return sparse.csr_array(direct / 6 + sparse.kron(rows, columns) / 12)


def _chain(size: int) -> Any:
    """Which of `size` pixels in a row are next to each other."""
    from scipy import sparse

    ones = np.ones(size - 1)
    return sparse.diags_array([ones, ones], offsets=[-1, 1], shape=(size, size))
