"""Expected gradients as the package `shap` computes them (`shap.GradientExplainer`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from xaibench.api import Background, Batch, BorrowedModel, Classifier, Heatmap, Heatmaps, Image, Need
from xaibench.methods.global_draws import global_draws
from xaibench.methods.known_warnings import LIST_OF_INPUTS, ignored
from xaibench.methods.references import drawn_references


@dataclass(frozen=True)
class ShapGradient:
    """Gradient at random points between the image and training images, times their difference, averaged.

    The package draws points and references at random, so the sum is logit(image) - mean logit of the references in
    expectation only; expected-gradients takes the same expectation without chance.
    """

    samples: int = 200
    """Points; 200 is the package's own. It takes 50 at once, and traces the model anew for another number."""
    references: int = 50
    """Training images, drawn once for all cases."""

    family: ClassVar = "gradient"
    needs: ClassVar = frozenset({Need.KERAS, Need.TRAINING})
    source: ClassVar = "Lundberg and Lee 2017; Erion et al. 2021"
    deterministic: ClassVar = False
    presets: ClassVar = {"smoke": {"samples": 50}, "paper": {"samples": 1000}}

    def fit(self, classifier: Classifier, background: Background, seed: int) -> Mapping[str, np.ndarray]:
        """Draw the references."""
        return {"references": drawn_references(background, self.references, seed)}

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: signed maps in units of the logit. One pass there and back a point, and one forward."""
        references = batch.fitted["references"]
        return np.stack([self._explain(classifier, *single, references) for single in batch])

    def _explain(
        self, classifier: Classifier, image: Image, target: int, seed: int, references: np.ndarray
    ) -> Heatmap:
        borrowed = classifier.borrow_keras(forward=self.samples + 1, backward=self.samples)
        explainer = _explainer(borrowed)
        explainer.data = [references]
        with global_draws(seed), ignored(LIST_OF_INPUTS):
            values, _ = explainer.shap_values(
                image[None],
                nsamples=self.samples,
                ranked_outputs=np.array([[target]]),
                output_rank_order="custom",
                rseed=seed,
            )
        heatmap: Heatmap = values[0, ..., 0].sum(axis=-1).astype(np.float32)
        return heatmap


def _explainer(borrowed: BorrowedModel) -> Any:
    """Return the package's explainer, which traces the model on its first use; its references are set at each use."""
    from shap import GradientExplainer  # slow to import

    if GradientExplainer not in borrowed.kept:
        empty = np.zeros((1, *borrowed.model.input_shape[1:]), np.float32)
        borrowed.kept[GradientExplainer] = GradientExplainer(borrowed.model, empty).explainer
    return borrowed.kept[GradientExplainer]
