"""An explainer that finds bright places important: the smallest plugin there is."""

from dataclasses import dataclass
from typing import ClassVar

from xaibench.api import Batch, Classifier, Heatmaps, Need


@dataclass(frozen=True)
class Brightness:
    """Channel mean of the image."""

    family: ClassVar[str] = "example"
    needs: ClassVar[frozenset[Need]] = frozenset()
    source: ClassVar[str] = "CONTRIBUTING.md"

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image by its own brightness."""
        return batch.images.mean(axis=-1)
