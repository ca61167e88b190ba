"""Eigen-CAM (Muhammad and Yeasin 2020, arXiv:2008.00299)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Batch, Classifier, Features, Heatmaps, Need
from xaibench.methods.upsampling import upsample


@dataclass(frozen=True)
class EigenCam:
    """Feature maps projected on their first principal component, of each image for itself.

    It asks for no class: both classes of an image have the same map. The maps are not centred, as in the paper.
    """

    layer: str | None = None
    """Name of the feature layer; None = the last convolutional block's output."""

    family: ClassVar = "cam"
    needs: ClassVar = frozenset({Need.FEATURES})
    source: ClassVar = "Muhammad and Yeasin 2020"

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: maps in the features' units, >= 0 where no feature is negative. One forward pass."""
        return upsample(first_component(classifier.features(batch.images, self.layer)), batch.space)


def first_component(maps: Features) -> Heatmaps:
    """Project the pixels' features on the first right singular vector of each image's `[pixels maps]`.

    A singular vector has no sign of its own: here the projection agrees with the sum over the maps.
    """
    pixels = maps.reshape(len(maps), -1, maps.shape[-1])
    _, _, right = np.linalg.svd(pixels, full_matrices=False)
    first = right[:, 0]
    upright = np.where(first.sum(axis=1, keepdims=True) < 0, -first, first)
    projected: np.ndarray = np.einsum("npk,nk->np", pixels, upright)
    return projected.reshape(maps.shape[:-1])
