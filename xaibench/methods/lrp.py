"""Layer-wise relevance propagation (Bach et al. 2015, PLoS ONE 10; Montavon et al. 2019, chapter 10)."""

from dataclasses import dataclass
from typing import ClassVar

from xaibench.api import Batch, Classifier, Heatmaps, Need


@dataclass(frozen=True)
class Lrp:
    """The target's logit sent back layer by layer, each unit's relevance shared among its inputs.

    The composite of Montavon et al.: z-box at the pixels, gamma in the convolutions, epsilon in the dense layers;
    batch norm belongs to its convolution, and an addition shares by its terms. What biases take is lost.
    """

    family: ClassVar = "relevance"
    needs: ClassVar = frozenset({Need.BACKWARD_RULES})
    source: ClassVar = "Bach et al. 2015"

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: signed maps in units of the logit, which they sum to but for biases and epsilon.

        One pass there and back.
        """
        heatmaps: Heatmaps = classifier.relevance(batch.images, batch.targets, "lrp-composite").sum(axis=-1)
        return heatmaps
