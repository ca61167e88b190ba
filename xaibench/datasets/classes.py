"""Classes of images, from numbers, names, or a column a class."""

from collections.abc import Sequence

import numpy as np

from xaibench.api import XaibenchError

Classes = tuple[tuple[str, ...], list[tuple[int, ...]]]
"""Names of the classes 0, 1, ..., and the classes of each image."""
MOST_CLASSES = 10_000


def classes_of(labels: Sequence[object] | np.ndarray, names: Sequence[str] | None, count: int) -> Classes:
    """Read labels `[n]`, numbers from 0 or names, or `[n k]` with 1 for each class that an image shows.

    Without `names`, words become 0, 1, ... in alphabetical order, and numbers are called "class 0" and so on.
    Raises XaibenchError for anything else.
    """
    array = np.atleast_1d(np.asarray(labels))
    if array.ndim == 2 and array.shape[1] == 1:  # as MedMNIST writes a single label
        array = array[:, 0]
    if len(array) != count:
        raise XaibenchError(f"{len(array)} labels are given for {count} images; give one an image.")
    if array.ndim == 2:
        return _columns(array, names)
    if array.ndim == 1 and array.dtype.kind in "US":
        return _words([str(word) for word in array], names)
    if array.ndim == 1 and array.dtype.kind in "biuf":
        return _numbers(array, names)
    raise XaibenchError(f"The labels are {array.dtype} {array.shape}; give whole numbers from 0, or names.")


def _columns(array: np.ndarray, names: Sequence[str] | None) -> Classes:
    if array.dtype.kind not in "biuf" or not np.isin(array, (0, 1)).all():
        raise XaibenchError("Labels with a column a class hold 0 and 1 only; these hold something else.")
    own = [tuple(np.flatnonzero(row).tolist()) for row in array]
    return _named(array.shape[1], names), own


def _words(words: list[str], names: Sequence[str] | None) -> Classes:
    known = tuple(names) if names is not None else tuple(sorted(set(words), key=str.casefold))
    unknown = sorted(set(words) - set(known))
    if unknown:
        raise XaibenchError(f"The label {unknown[0]!r} is none of the classes {', '.join(known)}; add it.")
    return known, [(known.index(word),) for word in words]


def _numbers(array: np.ndarray, names: Sequence[str] | None) -> Classes:
    numbers = array.astype(np.float64)
    if not (np.isfinite(numbers) & (numbers >= 0) & (numbers < MOST_CLASSES) & (numbers % 1 == 0)).all():
        raise XaibenchError(
            "The labels hold something else than whole numbers from 0; number the classes so."
        )
    return _named(int(numbers.max()) + 1, names), [(int(number),) for number in numbers]


def _named(count: int, names: Sequence[str] | None) -> tuple[str, ...]:
    if names is not None and len(names) < count:
        raise XaibenchError(
            f"The labels number {count} classes, but {len(names)} have a name; name them all."
        )
    return tuple(names) if names is not None else tuple(f"class {number}" for number in range(count))
