"""Saliency: the gradient with respect to the image (Simonyan, Vedaldi and Zisserman 2014, arXiv:1312.6034)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Batch, Classifier, Heatmaps, Need


@dataclass(frozen=True)
class Saliency:
    """Size of the gradient of the target's logit, the largest of a pixel's channels (sec. 3)."""

    family: ClassVar = "gradient"
    needs: ClassVar = frozenset({Need.INPUT_GRADIENTS})
    source: ClassVar = "Simonyan et al. 2014"

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: maps >= 0 in logit per intensity. One pass there and back."""
        sizes = np.abs(classifier.input_gradients(batch.images, batch.targets))
        heatmaps: Heatmaps = sizes.max(axis=-1)
        return heatmaps
