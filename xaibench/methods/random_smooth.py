"""Control: smooth noise that has nothing to do with image or model."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.ndimage import gaussian_filter

from xaibench.api import Batch, Classifier, Heatmap, Heatmaps, Need


@dataclass(frozen=True)
class RandomSmooth:
    """Gaussian-smoothed noise, as coarse as a CAM: what being smooth alone is worth.

    A smooth map takes whole regions from the image at once, where independent noise takes pixels from everywhere;
    only the smooth control is a fair one for curves.
    """

    sigma: float = 1 / 16
    """Standard deviation of the smoothing, as a fraction of the height and of the width.

    1/16 is that of the bilinear enlargement of a 7 x 7 map to the size of the image.
    """

    family: ClassVar = "control"
    needs: ClassVar = frozenset[Need]()
    source: ClassVar = "control"
    deterministic: ClassVar = False

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Draw a signed map for each image from its seed alone; every place is as likely to be the highest."""
        return np.stack([self._noise(batch.space, seed) for *_, seed in batch])

    def _noise(self, space: tuple[int, ...], seed: int) -> Heatmap:
        noise = np.random.default_rng(seed).standard_normal(space, dtype=np.float32)
        widths = [self.sigma * size for size in space]
        smooth: np.ndarray = gaussian_filter(
            noise, widths, mode="wrap"
        )  # the borders vary as the middle does
        return smooth
