"""Deep Taylor decomposition (Montavon et al. 2017, Pattern Recognition 65)."""

from dataclasses import dataclass
from typing import ClassVar

from xaibench.api import Batch, Classifier, Heatmaps, Need


@dataclass(frozen=True)
class DeepTaylor:
    """The target's logit sent back by the z+ rule, and by the z-box rule at the pixels (sec. 5).

    A unit shares its relevance among the inputs that excite it, or that inhibit it where it lies below 0; so maps have
    the sign of the logit. They sum to it but for what biases cause alone.
    """

    family: ClassVar = "relevance"
    needs: ClassVar = frozenset({Need.BACKWARD_RULES})
    source: ClassVar = "Montavon et al. 2017"

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: maps in units of the logit. One pass there and back."""
        heatmaps: Heatmaps = classifier.relevance(batch.images, batch.targets, "z-plus").sum(axis=-1)
        return heatmaps
