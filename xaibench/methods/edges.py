"""Control: the edges of the image."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.ndimage import correlate1d

from xaibench.api import Batch, Classifier, Heatmaps, Need


@dataclass(frozen=True)
class Edges:
    """Sobel gradient magnitude of the channel mean: tells whether a method merely finds edges."""

    family: ClassVar = "control"
    needs: ClassVar = frozenset[Need]()
    source: ClassVar = "control (Adebayo et al. 2018)"

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Compute maps >= 0 in intensity per pixel; the border is continued outwards."""
        grey = batch.images.mean(axis=-1)
        magnitude: np.ndarray = np.hypot(_slope(grey, 1, 2), _slope(grey, 2, 1))
        return magnitude


def _slope(images: Heatmaps, along: int, across: int) -> Heatmaps:
    """Sobel derivative along one axis, smoothed across the other and never over the images of the batch."""
    smooth = correlate1d(images, np.array([0.25, 0.5, 0.25]), axis=across, mode="nearest")
    slope: np.ndarray = correlate1d(smooth, np.array([-0.5, 0, 0.5]), axis=along, mode="nearest")
    return slope
