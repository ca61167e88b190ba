"""Control: the annotation itself."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Classifier, Heatmaps, Images, Need, Regions, Targets


@dataclass(frozen=True)
class Mask:
    """The annotated region as a heatmap: an upper bound for co-localisation."""

    family: ClassVar[str] = "control"
    needs: ClassVar[frozenset[Need]] = frozenset({Need.REGION})
    source: ClassVar[str] = "control"

    def __call__(self, classifier: Classifier, images: Images, targets: Targets, masks: Regions) -> Heatmaps:
        """Return 1 inside the annotation and 0 outside."""
        return masks.astype(np.float32)
