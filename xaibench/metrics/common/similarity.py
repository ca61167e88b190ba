"""How alike two maps are, and how large a change is."""

import numpy as np
from jaxtyping import Float, Float32

from xaibench.api import Heatmap, Heatmaps, NotApplicable

Values = Float32[np.ndarray, "..."]


def relative_changes(heatmap: Heatmap, changed: Heatmaps) -> Float[np.ndarray, "n"]:
    """||changed - heatmap||_2 / ||heatmap||_2 for each changed map.

    0 where all maps are all zero. Raises NotApplicable if only the heatmap itself is.
    """
    original = heatmap.astype(np.float64)
    distances = np.linalg.norm((changed - original).reshape(len(changed), -1), axis=1)
    norm = np.linalg.norm(original)
    if norm == 0 and distances.any():
        raise NotApplicable("the heatmap is all zero, so a relative change has no meaning")
    return np.asarray(distances / (norm or 1.0))


def cosine(one: Heatmap, other: Heatmap) -> float:
    """Cosine of the angle between two maps; 1 for two that are all zero, 0 if only one is."""
    a, b = (values.ravel().astype(np.float64) for values in (one, other))
    norms = np.linalg.norm(a), np.linalg.norm(b)
    if 0 in norms:
        return float(norms[0] == norms[1])
    # A threaded dot product would wait for the model's threads.
    return float(np.clip((a / norms[0] * (b / norms[1])).sum(), -1, 1))


def spearman(one: Values, other: Values) -> float:
    """Rank correlation of two maps, ties at their mean rank; 1 for two constant ones, 0 if only one is."""
    if one.size < 2:
        return 1.0
    from scipy.stats import rankdata

    a, b = (rankdata(values, axis=None) for values in (one, other))
    a, b = a - a.mean(), b - b.mean()
    squares = (a**2).sum(), (b**2).sum()
    if 0 in squares:
        return float(squares[0] == squares[1])
    return float(np.clip((a * b).sum() / np.sqrt(squares[0] * squares[1]), -1, 1))
