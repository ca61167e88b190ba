"""Guided Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391, sec. 3.2)."""

from dataclasses import dataclass
from typing import ClassVar

from xaibench.api import Batch, Classifier, Heatmaps, Need
from xaibench.methods.grad_cam import GradCam
from xaibench.methods.guided_backprop import guided_sizes


@dataclass(frozen=True)
class GuidedGradCam:
    """Grad-CAM, upsampled, times guided backpropagation, pixel by pixel."""

    layer: str | None = None
    """Name of Grad-CAM's feature layer; None = the last convolutional block's output."""

    family: ClassVar = "relevance"
    needs: ClassVar = frozenset({Need.BACKWARD_RULES, Need.FEATURE_GRADIENTS})
    source: ClassVar = "Selvaraju et al. 2017"

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: maps >= 0. Two passes there and back."""
        heatmaps: Heatmaps = GradCam(self.layer)(classifier, batch) * guided_sizes(classifier, batch)
        return heatmaps
