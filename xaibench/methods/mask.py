"""Control: the annotation itself."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Batch, Classifier, Heatmaps, Need, NotApplicable


@dataclass(frozen=True)
class Mask:
    """The annotated region as a heatmap: an upper bound for co-localisation."""

    family: ClassVar = "control"
    needs: ClassVar = frozenset({Need.REGION})
    source: ClassVar = "control"

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Return 1 inside the annotation and 0 outside. Raises NotApplicable where nobody annotated."""
        if batch.regions is None:
            raise NotApplicable("the case has no annotated region")
        return batch.regions.astype(np.float32)
