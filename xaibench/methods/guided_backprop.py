"""Guided backpropagation (Springenberg et al. 2015, arXiv:1412.6806)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Batch, Classifier, Heatmaps, Need


@dataclass(frozen=True)
class GuidedBackprop:
    """Size of the gradient that passes each ReLU only where it and the ReLU's input are positive (sec. 3.4).

    The largest of a pixel's channels, as in saliency. Known to be nearly blind to the class and to the weights of
    the upper layers (Adebayo et al. 2018): it shows what the image holds rather than what decides.
    """

    family: ClassVar = "relevance"
    needs: ClassVar = frozenset({Need.BACKWARD_RULES})
    source: ClassVar = "Springenberg et al. 2015"

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: maps >= 0 in logit per intensity. One pass there and back."""
        return guided_sizes(classifier, batch)


def guided_sizes(classifier: Classifier, batch: Batch) -> Heatmaps:
    """Size of the guided gradient of the target's logit, the largest of a pixel's channels."""
    heatmaps: Heatmaps = np.abs(classifier.relevance(batch.images, batch.targets, "guided")).max(axis=-1)
    return heatmaps
