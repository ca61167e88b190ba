"""Integrated gradients (Sundararajan, Taly and Yan 2017, arXiv:1703.01365)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float32

from xaibench.api import Batch, Classifier, Heatmap, Heatmaps, Image, Need
from xaibench.methods.hiding import Baseline, hidden
from xaibench.methods.logits import target_logits


@dataclass(frozen=True)
class IntegratedGradients:
    """Mean gradient on the straight line from a baseline to the image, times their difference (eq. 1).

    The usual black baseline is not the default: networks that standardise each image see the same picture everywhere
    on the line from a constant image but in its first thousandths, which the steps miss, and the sum fails.
    """

    steps: int = 64
    baseline: Baseline = "blur"
    """Where the line begins: the image blurred, or its lowest intensity everywhere."""

    family: ClassVar = "gradient"
    needs: ClassVar = frozenset({Need.INPUT_GRADIENTS})
    source: ClassVar = "Sundararajan et al. 2017"
    presets: ClassVar = {"smoke": {"steps": 32}, "paper": {"steps": 300}}

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: signed maps that sum to logit(image) - logit(baseline).

        One pass there and back a step.
        """
        return np.stack([self._explain(classifier, image, target) for image, target, _ in batch])

    def promised_total(self, classifier: Classifier, batch: Batch) -> Float32[np.ndarray, "n"]:
        """Logit of the image minus that of its baseline (proposition 1, completeness)."""
        baselines = np.stack([hidden(image, self.baseline) for image in batch.images])
        whole, empty = (target_logits(classifier, x, batch.targets) for x in (batch.images, baselines))
        total: np.ndarray = whole - empty
        return total

    def _explain(self, classifier: Classifier, image: Image, target: int) -> Heatmap:
        return integrated(classifier, image, target, hidden(image, self.baseline)[None], self.steps)


def integrated(
    classifier: Classifier,
    image: Image,
    target: int,
    baselines: Float32[np.ndarray, "b *space c"],
    steps: int,
) -> Heatmap:
    """Integrated gradients of one image, averaged over baselines and summed over the channels; midpoint rule."""
    total = np.zeros_like(image)
    for baseline in baselines:
        difference = image - baseline
        places = ((np.arange(steps, dtype=np.float32) + 0.5) / steps).reshape(-1, *[1] * image.ndim)
        gradients = classifier.input_gradients(baseline + places * difference, np.array(target))
        total += gradients.mean(axis=0) * difference
    heatmap: Heatmap = total.sum(axis=-1) / len(baselines)
    return heatmap
