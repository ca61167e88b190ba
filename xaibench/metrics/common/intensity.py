"""What counts as a small or a large change of intensity: relative to the image itself, never to other patients'."""

import numpy as np

from xaibench.api import Image


def robust_range(image: Image) -> float:
    """Distance from the 1st to the 99th percentile of all intensities; single bright pixels do not stretch it."""
    low, high = np.percentile(image, (1, 99))
    return float(high - low)
