"""Grad-CAM as the package `tf-explain` computes it: a second implementation, with its ways."""

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float32

from xaibench.api import Batch, Classifier, Heatmaps, Images, Need
from xaibench.methods.tf_explain_core import PACKAGE, explained_by_target
from xaibench.methods.upsampling import upsample


@dataclass(frozen=True)
class TfExplainGradCam:
    """The package's weighted sum of feature maps, before it is coloured, resized bilinearly.

    Known faults of the package (0.3.1): it has no ReLU, so maps are signed where Grad-CAM's are not; it builds a new
    model and runs it eagerly on every call, many times slower than a traced function; by default it
    guides the gradients, which is switched off here; its own choice of a layer fails on Keras 3, so the layer is given.
    """

    layer: str | None = None
    """Name of the feature layer; None = the last convolutional block's output."""

    family: ClassVar = "cam"
    needs: ClassVar = frozenset({Need.KERAS})
    source: ClassVar = PACKAGE

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: signed maps in units of the logit. One pass there and back."""
        borrowed = classifier.borrow_keras(forward=len(batch), backward=len(batch))
        layer = self.layer or borrowed.layer

        def explain(images: Images, target: int) -> Heatmaps:
            return upsample(_cams(borrowed.model, images, layer, target), batch.space)

        return explained_by_target(batch, explain)


def _cams(model: Any, images: Images, layer: str, target: int) -> Float32[np.ndarray, "n fh fw"]:
    """Weighted sums of the feature maps, by the package."""
    from tf_explain.core.grad_cam import GradCAM

    with warnings.catch_warnings():  # it passes a list of inputs where Keras 3 expects one
        warnings.filterwarnings("ignore", message="The structure of `inputs`", category=UserWarning)
        maps, gradients = GradCAM.get_gradients_and_filters(
            model, images, layer, target, use_guided_grads=False
        )
    return np.stack([cam.numpy() for cam in GradCAM.generate_ponderated_output(maps, gradients)])
