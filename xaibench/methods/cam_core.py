"""What the class activation maps have in common: a weighted sum of feature maps, enlarged to the image."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float32

from xaibench.api import Batch, Classifier, Features, Heatmaps, Need
from xaibench.methods.upsampling import upsample

Weights = Float32[np.ndarray, "*broadcast_to_grid maps"]
"""Weights `[n fh fw maps]`; the axes of space may be 1."""


@dataclass(frozen=True)
class GradientCam(ABC):
    """Feature maps weighted by what a variant makes of them and of the gradient of the target's logit."""

    layer: str | None = None
    """Name of the feature layer; None = the last convolutional block's output."""

    family: ClassVar = "cam"
    needs: ClassVar = frozenset({Need.FEATURE_GRADIENTS})

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: maps >= 0, all zero where nothing speaks for the target. One pass there and back."""
        maps, gradients = classifier.feature_gradients(batch.images, batch.targets, self.layer)
        return positive_sum(maps, self.weights(maps, gradients), batch.space)

    @abstractmethod
    def weights(self, maps: Features, gradients: Features) -> Weights:
        """Return what each feature map, or each of its pixels, counts."""


def positive_sum(maps: Features, weights: Weights, space: tuple[int, ...]) -> Heatmaps:
    """ReLU of the weighted sum of the feature maps, upsampled bilinearly."""
    return upsample(np.maximum((weights * maps).sum(axis=-1), 0), space)
