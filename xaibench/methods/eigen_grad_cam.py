"""Eigen-Grad-CAM: Eigen-CAM (Muhammad and Yeasin 2020) of gradient times feature map (Gildenblat 2021)."""

from dataclasses import dataclass
from typing import ClassVar

from xaibench.api import Batch, Classifier, Heatmaps, Need
from xaibench.methods.eigen_cam import first_component
from xaibench.methods.upsampling import upsample


@dataclass(frozen=True)
class EigenGradCam:
    """First principal component of the feature maps times the gradients of the target's logit.

    Defined by the library pytorch-grad-cam, which leaves the sign to chance; here the map agrees with the sum of
    gradient x feature map, so that positive places speak for the target.
    """

    layer: str | None = None
    """Name of the feature layer; None = the last convolutional block's output."""

    family: ClassVar = "cam"
    needs: ClassVar = frozenset({Need.FEATURE_GRADIENTS})
    source: ClassVar = "Gildenblat 2021, after Muhammad and Yeasin 2020"

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: signed maps in units of the logit. One pass there and back."""
        maps, gradients = classifier.feature_gradients(batch.images, batch.targets, self.layer)
        return upsample(first_component(maps * gradients), batch.space)
