"""Class activation mapping (Zhou et al. 2016, arXiv:1512.04150)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Batch, Classifier, Heatmaps, Need, NotApplicable
from xaibench.methods.upsampling import upsample


@dataclass(frozen=True)
class Cam:
    """Feature maps weighted by the head's own weights for the class (eq. 2).

    Only for a head of average pooling and one dense layer. The mean of the map is then the logit without its bias,
    before it is upsampled.
    """

    family: ClassVar = "cam"
    needs: ClassVar = frozenset({Need.FEATURES})
    source: ClassVar = "Zhou et al. 2016"

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: signed maps in units of the logit. Raises NotApplicable for any other head."""
        head = classifier.head_weights()
        if head is None:
            raise NotApplicable("the head is not average pooling and one dense layer")
        cams = np.einsum("nijk,kn->nij", classifier.features(batch.images), head[:, batch.targets])
        return upsample(cams, batch.space)
