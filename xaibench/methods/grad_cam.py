"""Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391)."""

from dataclasses import dataclass
from typing import ClassVar

from xaibench.api import Features
from xaibench.methods.cam_core import GradientCam, Weights


@dataclass(frozen=True)
class GradCam(GradientCam):
    """Feature maps weighted by the mean gradient of the target's logit, summed, negative part cut (eq. 1, 2)."""

    source: ClassVar = "Selvaraju et al. 2017"

    def weights(self, maps: Features, gradients: Features) -> Weights:
        """Mean gradient of each map (eq. 1)."""
        means: Weights = gradients.mean(axis=(1, 2), keepdims=True)
        return means
