"""An explainer that finds bright places important: the smallest plugin there is."""

from dataclasses import dataclass
from typing import ClassVar

from xaibench.api import Classifier, Heatmaps, Images, Need, Targets


@dataclass(frozen=True)
class Brightness:
    """Channel mean of the image."""

    family: ClassVar[str] = "example"
    needs: ClassVar[frozenset[Need]] = frozenset()
    source: ClassVar[str] = "CONTRIBUTING.md"

    def __call__(self, classifier: Classifier, images: Images, targets: Targets) -> Heatmaps:
        """Explain each image by its own brightness."""
        return images.mean(axis=-1)
