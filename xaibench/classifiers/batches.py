"""Leading axes, and batches that are as even as can be."""

import itertools
import math
from collections.abc import Iterator

import numpy as np


def even_parts(count: int, at_most: int) -> Iterator[slice]:
    """Cut 0 .. count into the fewest slices of at most that length, as even as can be: 50 by 32 is 25 + 25."""
    parts = -(-count // at_most)
    bounds = [count * i // parts for i in range(parts + 1)] if parts else []
    return (slice(start, stop) for start, stop in itertools.pairwise(bounds))


def default_batch_size(input_shape: tuple[int, ...]) -> int:
    """Batch size past which neither the compact ResNet (64 at 128 px) nor ResNet50 (16 at 224 px) gains."""
    pixels = math.prod(input_shape[:-1])
    return int(2 ** np.clip(np.floor(np.log2(64 * 128 * 128 / pixels)), 0, 8))


def flattened(array: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, tuple[int, ...]]:
    """Array with its leading axes made one, and those axes; `shape` are the trailing ones.

    Raises ValueError for an array of another trailing shape.
    """
    trailing = array.shape[-len(shape) :]
    if trailing != shape:
        raise ValueError(f"images are {trailing} but the model takes {shape}")
    return array.reshape(-1, *shape), array.shape[: -len(shape)]


def finite(array: np.ndarray) -> np.ndarray:
    """Return the array. Raises FloatingPointError for NaN or infinite values."""
    if not np.isfinite(array).all():
        raise FloatingPointError("the model returned NaN or infinite values")
    return array
