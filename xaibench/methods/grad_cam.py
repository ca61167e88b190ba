"""Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Batch, Classifier, Heatmaps, Need
from xaibench.methods.upsampling import upsample


@dataclass(frozen=True)
class GradCam:
    """Feature maps weighted by the mean gradient of the target's logit, summed, negative part cut (eq. 1, 2)."""

    layer: str | None = None
    """Name of the feature layer; None = the last convolutional block's output."""

    family: ClassVar = "cam"
    needs: ClassVar = frozenset({Need.FEATURE_GRADIENTS})
    source: ClassVar = "Selvaraju et al. 2017"

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: maps >= 0 in units of the logit, all zero where nothing speaks for the target."""
        maps, gradients = classifier.feature_gradients(batch.images, batch.targets, self.layer)
        weights = gradients.mean(axis=(1, 2), keepdims=True)  # eq. 1
        cams = np.maximum((weights * maps).sum(axis=-1), 0)  # eq. 2
        return upsample(cams, batch.space)
