"""HiResCAM (Draelos and Carin 2021, arXiv:2011.08891)."""

from dataclasses import dataclass
from typing import ClassVar

from xaibench.api import Batch, Classifier, Heatmaps, Need
from xaibench.methods.upsampling import upsample


@dataclass(frozen=True)
class HiResCam:
    """Feature maps times their own gradients, pixel by pixel, summed over the maps (sec. 3.3).

    Signed, as the paper's proof needs it: with one dense layer on the flattened maps, the map sums to the logit
    without its bias before it is upsampled.
    """

    layer: str | None = None
    """Name of the feature layer; None = the last convolutional block's output."""

    family: ClassVar = "cam"
    needs: ClassVar = frozenset({Need.FEATURE_GRADIENTS})
    source: ClassVar = "Draelos and Carin 2021"

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: signed maps in units of the logit. One pass there and back."""
        maps, gradients = classifier.feature_gradients(batch.images, batch.targets, self.layer)
        return upsample((gradients * maps).sum(axis=-1), batch.space)
