"""Images without evidence: what the pixels that a curve metric removes are replaced by."""

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float32

from xaibench.harness.types import Classifier, Image

BLUR = 0.1
"""Sigma of the blur baseline, as a share of the image's height and width (12.8 pixels at 128)."""


def blur(classifier: Classifier, image: Image) -> Image:
    """Gaussian blur of the original image; at the border, the mean of the pixels that exist.

    The blurred canvas is that of Petsiuk et al. 2018 (arXiv:1806.07421, sec. 4.1): unlike a constant it
    adds no edges of its own.
    """
    planes = np.moveaxis(image, -1, 0)
    down, across = _gaussian(image.shape[0]), _gaussian(image.shape[1])
    return np.ascontiguousarray(np.moveaxis(down @ planes @ across.T, 0, -1))


def mean(classifier: Classifier, image: Image) -> Image:
    """Mean of the original image, a channel at a time."""
    average = image.mean(axis=(0, 1), dtype=np.float64).astype(np.float32)
    return np.broadcast_to(average, image.shape).copy()


def black(classifier: Classifier, image: Image) -> Image:
    """Lowest intensity of the cohort."""
    return np.full_like(image, classifier.input_range[0])


FIXED: Mapping[str, Callable[[Classifier, Image], Image]] = {"blur": blur, "mean": mean, "black": black}
"""Baselines that are one image, whichever pixels are removed."""


def _gaussian(size: int) -> Float32[np.ndarray, "size size"]:
    """Weights of the input pixels (columns) for each output pixel (rows); every row sums to 1.

    As a matrix product this is ten times as fast as a convolution with so wide a kernel.
    """
    places = np.arange(size)
    weights = np.exp(-((places[:, None] - places) ** 2) / (2 * (BLUR * size) ** 2))
    rows: np.ndarray = weights / weights.sum(axis=1, keepdims=True)
    return rows.astype(np.float32)
