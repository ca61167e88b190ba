"""Deep SHAP as the package `shap` computes it (`shap.DeepExplainer`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float32

from xaibench.api import Background, Batch, Classifier, Heatmap, Heatmaps, Image, Need
from xaibench.methods.deep_explainer import deep_values
from xaibench.methods.logits import target_logits
from xaibench.methods.references import drawn_references

AT_ONCE = 8
"""Most references that the package is given together: on ResNet50 it holds 180 MiB for each."""


@dataclass(frozen=True)
class ShapDeep:
    """DeepLIFT's rescale rule averaged over training images as baselines (Lundberg and Lee 2017, sec. 4.2).

    The package has no rule for layers that standardise a whole image. Where a model begins with such layers, what they
    make of the image is explained instead, compared with what they make of the training images. Nor has it one for
    depthwise convolutions and bounded ReLUs, so MobileNet and Xception cannot be explained; deeplift can.
    """

    references: int = 8
    """Training images, drawn once for all cases."""

    family: ClassVar = "relevance"
    needs: ClassVar = frozenset({Need.KERAS, Need.TRAINING})
    source: ClassVar = "Lundberg and Lee 2017"
    presets: ClassVar = {"smoke": {"references": 4}, "paper": {"references": 100}}

    def fit(self, classifier: Classifier, background: Background, seed: int) -> Mapping[str, np.ndarray]:
        """Draw the references, and predict their logits."""
        references = drawn_references(background, self.references, seed)
        return {"references": references, "logits": classifier.logits(references)}

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: signed maps that sum to logit(image) - mean logit of the references.

        Two passes forward and two back a reference, and one forward. Raises NotApplicable for a model that the package
        has no rules for.
        """
        return np.stack([self._explain(classifier, batch, image, target) for image, target, _ in batch])

    def promised_total(self, classifier: Classifier, batch: Batch) -> Float32[np.ndarray, "n"]:
        """Logit of the image minus the mean logit of the references."""
        means = batch.fitted["logits"].mean(axis=0)[batch.targets]
        total: np.ndarray = target_logits(classifier, batch.images, batch.targets) - means
        return total

    def _explain(self, classifier: Classifier, batch: Batch, image: Image, target: int) -> Heatmap:
        references = batch.fitted["references"]
        passes = 2 * len(references)  # the package runs the image beside each reference
        borrowed = classifier.borrow_keras(forward=passes + 1, backward=passes)
        parts = np.array_split(references, -(-len(references) // AT_ONCE))
        sums = [len(part) * deep_values(borrowed, image, target, part).sum(axis=-1) for part in parts]
        heatmap: Heatmap = np.sum(sums, axis=0) / len(references)
        return heatmap
