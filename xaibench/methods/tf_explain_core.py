"""What the explainers by the package `tf-explain` have in common."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from jaxtyping import Int

from xaibench.api import Batch, Heatmaps, Images, Targets

AT_ONCE = 16
"""Images of one call, which keeps all activations in memory."""

PACKAGE = "tf-explain 0.3.1 (Meudec 2021)"


def explained_by_target(batch: Batch, explain: Callable[[Images, int], Heatmaps]) -> Heatmaps:
    """Heatmaps from a function that explains images for one class."""
    heatmaps = np.zeros((len(batch), *batch.space), np.float32)
    for target, rows in _groups(batch.targets):
        heatmaps[rows] = explain(batch.images[rows], target)
    return heatmaps


def _groups(targets: Targets) -> Iterator[tuple[int, Int[np.ndarray, "some"]]]:
    """Rows of one target each, a few at a time."""
    for target in np.unique(targets):
        rows = np.flatnonzero(targets == target)
        for start in range(0, len(rows), AT_ONCE):
            yield int(target), rows[start : start + AT_ONCE]


def sizes(attributions: Any) -> Heatmaps:
    """Absolute values summed over the channels: the package's map before it is standardised and cut to 0 .. 255."""
    heatmaps: Heatmaps = np.abs(np.asarray(attributions)).sum(axis=-1).astype(np.float32)
    return heatmaps
