"""Integrated gradients as the package `tf-explain` computes them: without the factor that makes them complete."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Batch, Classifier, Heatmap, Heatmaps, Image, Need
from xaibench.methods.tf_explain_core import PACKAGE, sizes


@dataclass(frozen=True)
class TfExplainIntegratedGradients:
    """The package's mean gradient on the line from a black image, as sizes summed over the channels.

    Known faults of the package (0.3.1): the factor (image - baseline) of the paper's eq. 1 is missing, so the map is
    not complete and promises no sum; black is 0 on any intensity scale; it traces anew for every class.
    """

    steps: int = 64

    family: ClassVar = "gradient"
    needs: ClassVar = frozenset({Need.KERAS})
    source: ClassVar = PACKAGE
    presets: ClassVar = {"smoke": {"steps": 16}, "paper": {"steps": 300}}

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: maps >= 0 in logit per intensity. One pass there and back a step."""
        return np.stack([self._explain(classifier, image, target) for image, target, _ in batch])

    def _explain(self, classifier: Classifier, image: Image, target: int) -> Heatmap:
        from tf_explain.core.integrated_gradients import IntegratedGradients

        model = classifier.borrow_keras(forward=self.steps, backward=self.steps).model
        path = IntegratedGradients.generate_interpolations(image[None], self.steps).astype(np.float32)
        means = IntegratedGradients.get_integrated_gradients(path, model, target, self.steps)
        heatmap: Heatmap = sizes(means)[0]
        return heatmap
