"""Spatial attention of a network that has it (CBAM; Woo et al. 2018, arXiv:1807.06521)."""

from dataclasses import dataclass
from typing import ClassVar

from xaibench.api import Batch, Classifier, Features, Heatmaps, Need, NotApplicable, XaibenchError
from xaibench.methods.upsampling import upsample

LAST = "block4_spatial_attention"
"""Layer of cbam-resnet that puts out the attention of its last block."""


@dataclass(frozen=True)
class SpatialAttention:
    """The attention map itself: how strongly the network lets each place through, whatever the class (eq. 3)."""

    layer: str | None = None
    """Name of the layer that puts out the attention, one channel in 0 .. 1; None = the last block's of cbam-resnet."""

    family: ClassVar = "attention"
    needs: ClassVar = frozenset({Need.FEATURES})
    source: ClassVar = "Woo et al. 2018"

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: maps in 0 .. 1. One forward pass.

        Raises NotApplicable for a model without spatial attention, XaibenchError for a named layer that it lacks.
        """
        maps = classifier.features(batch.images, self.layer) if self.layer else _last(classifier, batch)
        if maps.shape[-1] != 1:
            layer = self.layer or LAST
            raise NotApplicable(f"layer {layer!r} puts out {maps.shape[-1]} maps, no spatial attention")
        return upsample(maps[..., 0], batch.space)


def _last(classifier: Classifier, batch: Batch) -> Features:
    try:
        return classifier.features(batch.images, LAST)
    except XaibenchError as error:
        raise NotApplicable(
            f"the model has no spatial attention in a layer {LAST!r}; name one with the parameter `layer`"
        ) from error
