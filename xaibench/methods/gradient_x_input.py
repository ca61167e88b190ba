"""Gradient times input (Shrikumar et al. 2016, arXiv:1605.01713)."""

from dataclasses import dataclass
from typing import ClassVar

from xaibench.api import Batch, Classifier, Heatmaps, Need


@dataclass(frozen=True)
class GradientXInput:
    """Gradient of the target's logit times the image, summed over the channels.

    Black counts for nothing, and a shift of all intensities changes the map: the image is taken as it is.
    """

    family: ClassVar = "gradient"
    needs: ClassVar = frozenset({Need.INPUT_GRADIENTS})
    source: ClassVar = "Shrikumar et al. 2016"

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: signed maps in units of the logit. One pass there and back."""
        products = classifier.input_gradients(batch.images, batch.targets) * batch.images
        heatmaps: Heatmaps = products.sum(axis=-1)
        return heatmaps
