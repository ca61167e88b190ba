"""Control: the middle of the image."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Classifier, Heatmaps, Images, Need, Targets


@dataclass(frozen=True)
class Centre:
    """Gaussian in the middle of the image: tells how far the position alone gives the tumour away."""

    family: ClassVar[str] = "control"
    needs: ClassVar[frozenset[Need]] = frozenset()
    source: ClassVar[str] = "control"

    sigma: float = 0.25
    """Standard deviation, as a fraction of the height and of the width."""

    def __call__(self, classifier: Classifier, images: Images, targets: Targets) -> Heatmaps:
        """Draw the same map in (0, 1] for every image."""
        rows, columns = (_bell(size, self.sigma) for size in images.shape[1:3])
        return np.repeat((rows[:, None] * columns)[None], len(images), axis=0)


def _bell(size: int, sigma: float) -> np.ndarray:
    """Gaussian over one axis, 1 in its middle."""
    offset = (np.arange(size) + 0.5) / size - 0.5
    return np.exp(-0.5 * (offset / sigma) ** 2).astype(np.float32)
