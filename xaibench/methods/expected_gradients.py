"""Expected gradients (Erion et al. 2021, arXiv:1906.10670)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float32

from xaibench.api import Background, Batch, Classifier, Heatmap, Heatmaps, Image, Need
from xaibench.methods.integrated_gradients import integrated
from xaibench.methods.logits import target_logits
from xaibench.methods.references import drawn_references


@dataclass(frozen=True)
class ExpectedGradients:
    """Integrated gradients averaged over training images as baselines (eq. 3), so that no baseline is chosen.

    The expectation over the line is taken by the midpoint rule from each reference, instead of at random.
    """

    references: int = 16
    """Training images, drawn once for all cases."""
    steps: int = 12
    """Steps from each of them."""

    family: ClassVar = "gradient"
    needs: ClassVar = frozenset({Need.INPUT_GRADIENTS, Need.TRAINING})
    source: ClassVar = "Erion et al. 2021"
    presets: ClassVar = {
        "smoke": {"references": 8, "steps": 8},
        "paper": {"references": 50, "steps": 24},
    }

    def fit(self, classifier: Classifier, background: Background, seed: int) -> Mapping[str, np.ndarray]:
        """Draw the references, each as likely, and predict their logits."""
        references = drawn_references(background, self.references, seed)
        return {"references": references, "logits": classifier.logits(references)}

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: signed maps that sum to logit(image) - mean logit of the references.

        One pass there and back a reference and step.
        """
        return np.stack([self._explain(classifier, batch, image, target) for image, target, _ in batch])

    def promised_total(self, classifier: Classifier, batch: Batch) -> Float32[np.ndarray, "n"]:
        """Logit of the image minus the mean logit of the references."""
        means = batch.fitted["logits"].mean(axis=0)[batch.targets]
        total: np.ndarray = target_logits(classifier, batch.images, batch.targets) - means
        return total

    def _explain(self, classifier: Classifier, batch: Batch, image: Image, target: int) -> Heatmap:
        return integrated(classifier, image, target, batch.fitted["references"], self.steps)
