"""Control: the middle of the image."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Batch, Classifier, Heatmaps, Need


@dataclass(frozen=True)
class Centre:
    """Gaussian in the middle of the image: tells how far the position alone gives the region away."""

    sigma: float = 0.25
    """Standard deviation, as a fraction of the height and of the width."""

    family: ClassVar = "control"
    needs: ClassVar = frozenset[Need]()
    source: ClassVar = "control"

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Draw the same map in (0, 1] for every image."""
        rows, columns = (_bell(size, self.sigma) for size in batch.space)
        return np.repeat((rows[:, None] * columns)[None], len(batch), axis=0)


def _bell(size: int, sigma: float) -> np.ndarray:
    """Gaussian over one axis, 1 in its middle."""
    offset = (np.arange(size) + 0.5) / size - 0.5
    return np.exp(-0.5 * (offset / sigma) ** 2).astype(np.float32)
