"""Saliency as the package `tf-explain` computes it."""

from dataclasses import dataclass
from typing import ClassVar

from xaibench.api import Batch, Classifier, Heatmaps, Images, Need
from xaibench.methods.tf_explain_core import PACKAGE, explained_by_target, sizes


@dataclass(frozen=True)
class TfExplainVanillaGradients:
    """The package's gradients, as sizes summed over the channels.

    Differs from saliency where there are several channels, of which the paper takes the largest. Known fault of the
    package (0.3.1): it traces anew for every class and number of images.
    """

    family: ClassVar = "gradient"
    needs: ClassVar = frozenset({Need.KERAS})
    source: ClassVar = PACKAGE

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: maps >= 0 in logit per intensity. One pass there and back."""
        from tf_explain.core.vanilla_gradients import VanillaGradients

        model = classifier.borrow_keras(forward=len(batch), backward=len(batch)).model

        def explain(images: Images, target: int) -> Heatmaps:
            return sizes(VanillaGradients.compute_gradients(images, model, target))

        return explained_by_target(batch, explain)
