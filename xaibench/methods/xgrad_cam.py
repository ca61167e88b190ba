"""XGrad-CAM (Fu et al. 2020, arXiv:2008.02312)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Features
from xaibench.methods.cam_core import GradientCam, Weights


@dataclass(frozen=True)
class XGradCam(GradientCam):
    """Grad-CAM whose mean gradient is weighted by the map itself, so that weight x map sums to gradient x map (eq. 8).

    Where the gradient is the same at every pixel of a map, as below average pooling, it is Grad-CAM.
    """

    source: ClassVar = "Fu et al. 2020"

    def weights(self, maps: Features, gradients: Features) -> Weights:
        """Gradients averaged with the map's values as weights; 0 for a map whose sum is 0."""
        totals = maps.sum(axis=(1, 2), keepdims=True)
        products = (maps * gradients).sum(axis=(1, 2), keepdims=True)
        weights: np.ndarray = np.zeros_like(totals)
        np.divide(products, totals, out=weights, where=totals != 0)
        return weights
