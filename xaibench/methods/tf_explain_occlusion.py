"""Occlusion as the package `tf-explain` computes it."""

import io
import math
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Batch, Classifier, Heatmap, Heatmaps, Image, Need, NotApplicable
from xaibench.methods.tf_explain_core import PACKAGE


@dataclass(frozen=True)
class TfExplainOcclusion:
    """The package's map: 1 - probability of the target under each patch, resized bilinearly, before it is coloured.

    Known faults of the package (0.3.1): the patch has the intensity 127.5 on any scale, patches do not overlap, and
    the probability of the whole image is not subtracted from theirs. It mixes up rows and columns of images that
    are not square, which are refused here.
    """

    patch: float = 1 / 8
    """Height and width of the patch, as a fraction of the image's."""

    family: ClassVar = "perturbation"
    needs: ClassVar = frozenset({Need.KERAS})
    source: ClassVar = PACKAGE
    presets: ClassVar = {"paper": {"patch": 1 / 16}}

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: maps in 0 .. 1. One forward pass a patch. Raises NotApplicable unless it is square."""
        height, width = batch.space
        if height != width:
            raise NotApplicable("tf-explain mixes up rows and columns of images that are not square")
        return np.stack([self._explain(classifier, image, target) for image, target, _ in batch])

    def _explain(self, classifier: Classifier, image: Image, target: int) -> Heatmap:
        from tf_explain.core.occlusion_sensitivity import OcclusionSensitivity

        pixels = max(1, round(len(image) * self.patch))
        passes = math.ceil(len(image) / pixels) ** 2
        model = classifier.borrow_keras(forward=passes, backward=0).probabilities
        with redirect_stdout(io.StringIO()):  # Keras draws a bar for each image
            found = OcclusionSensitivity().get_sensitivity_map(model, image, target, pixels)
        heatmap: Heatmap = found.astype(np.float32)
        return heatmap
