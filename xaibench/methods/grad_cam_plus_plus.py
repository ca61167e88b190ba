"""Grad-CAM++ (Chattopadhay et al. 2018, arXiv:1710.11063)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Features
from xaibench.methods.cam_core import GradientCam, Weights


@dataclass(frozen=True)
class GradCamPlusPlus(GradientCam):
    """Grad-CAM whose weights are sums of the positive gradients, each pixel counted by its alpha.

    The closed form of alpha (eq. 19) is that of the class score exp(logit). The factor exp(logit), common to
    all weights of an image, is left out: it overflows for large logits and changes only the scale of a map. All zero
    where no gradient is positive.
    """

    source: ClassVar = "Chattopadhay et al. 2018"

    def weights(self, maps: Features, gradients: Features) -> Weights:
        """Sum of alpha x positive gradient over each map."""
        weighted = alphas(maps, gradients) * np.maximum(gradients, 0)
        sums: Weights = weighted.sum(axis=(1, 2), keepdims=True)
        return sums


def alphas(maps: Features, gradients: Features) -> Features:
    """Pixel weights `g^2 / (2 g^2 + sum_ab A_ab g^3)`, cancelled to `1 / (2 + sum_ab A_ab g)`.

    The cancelled form keeps tiny gradients from vanishing in float32; where g = 0 it gives 1/2, which the
    product with the positive gradient discards. It is 0 where the denominator is 0.
    """
    denominator = 2 + maps.sum(axis=(-3, -2), keepdims=True) * gradients
    result: np.ndarray = np.zeros_like(denominator)
    np.divide(1, denominator, out=result, where=denominator != 0)
    return result
