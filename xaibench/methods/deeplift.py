"""DeepLIFT with the rescale rule (Shrikumar, Greenside and Kundaje 2017, arXiv:1704.02685)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float32

from xaibench.api import Batch, Classifier, Heatmap, Heatmaps, Image, Need
from xaibench.methods.hiding import Baseline, hidden
from xaibench.methods.logits import target_logits


@dataclass(frozen=True)
class DeepLift:
    """Contribution of each pixel to the difference of the target's logit from that of a baseline (sec. 3.5.2)."""

    baseline: Baseline = "blur"
    """What the image is compared with: the image blurred, or its lowest intensity everywhere."""

    family: ClassVar = "relevance"
    needs: ClassVar = frozenset({Need.BACKWARD_RULES})
    source: ClassVar = "Shrikumar et al. 2017"

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: signed maps that sum to logit(image) - logit(baseline).

        Two forward passes and one back.
        """
        return np.stack([self._explain(classifier, image, target) for image, target, _ in batch])

    def promised_total(self, classifier: Classifier, batch: Batch) -> Float32[np.ndarray, "n"]:
        """Logit of the image minus that of its baseline (eq. 1, summation to delta)."""
        baselines = np.stack([hidden(image, self.baseline) for image in batch.images])
        whole, empty = (target_logits(classifier, x, batch.targets) for x in (batch.images, baselines))
        gain: np.ndarray = whole - empty
        return gain

    def _explain(self, classifier: Classifier, image: Image, target: int) -> Heatmap:
        contributions = classifier.relevance(
            image, np.array(target), "deeplift-rescale", hidden(image, self.baseline)
        )
        heatmap: Heatmap = contributions.sum(axis=-1)
        return heatmap
