"""LayerCAM (Jiang et al. 2021, IEEE Transactions on Image Processing 30)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Features
from xaibench.methods.cam_core import GradientCam, Weights


@dataclass(frozen=True)
class LayerCam(GradientCam):
    """Each pixel of a feature map weighted by its own gradient where that is positive (eq. 6 to 8)."""

    source: ClassVar = "Jiang et al. 2021"

    def weights(self, maps: Features, gradients: Features) -> Weights:
        """Positive part of the gradients."""
        positive: Weights = np.maximum(gradients, 0)
        return positive
