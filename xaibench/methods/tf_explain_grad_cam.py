"""Grad-CAM as the package `tf-explain` computes it: a second implementation, with its ways."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float32, Int

from xaibench.api import Batch, Classifier, Heatmaps, Images, Need, Targets
from xaibench.methods.upsampling import upsample

AT_ONCE = 16  # images of one eager call, which keeps all activations in memory


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
    source: ClassVar = "tf-explain 0.3.1 (Meudec 2021)"

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: signed maps in units of the logit."""
        borrowed = classifier.borrow_keras(forward=len(batch), backward=len(batch))
        layer = self.layer or borrowed.layer
        heatmaps = np.zeros((len(batch), *batch.space), np.float32)
        for target, rows in _groups(batch.targets):
            cams = _cams(borrowed.model, batch.images[rows], layer, target)
            heatmaps[rows] = upsample(cams, batch.space)
        return heatmaps


def _groups(targets: Targets) -> Iterator[tuple[int, Int[np.ndarray, "some"]]]:
    """Rows of one target each, a few at a time, as the package explains one class a call."""
    for target in np.unique(targets):
        rows = np.flatnonzero(targets == target)
        for start in range(0, len(rows), AT_ONCE):
            yield int(target), rows[start : start + AT_ONCE]


def _cams(model: Any, images: Images, layer: str, target: int) -> Float32[np.ndarray, "n fh fw"]:
    """Weighted sums of the feature maps, by the package."""
    from tf_explain.core.grad_cam import GradCAM

    with warnings.catch_warnings():  # it passes a list of inputs where Keras 3 expects one
        warnings.filterwarnings("ignore", message="The structure of `inputs`", category=UserWarning)
        maps, gradients = GradCAM.get_gradients_and_filters(
            model, images, layer, target, use_guided_grads=False
        )
    return np.stack([cam.numpy() for cam in GradCAM.generate_ponderated_output(maps, gradients)])
