"""Control: noise that has nothing to do with image or model."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Classifier, Heatmaps, Images, Need, Targets


@dataclass(frozen=True)
class Random:
    """Independent uniform noise in [0, 1): what any explainer must beat."""

    family: ClassVar[str] = "control"
    needs: ClassVar[frozenset[Need]] = frozenset()
    source: ClassVar[str] = "control"

    seed: int = 0

    def __call__(self, classifier: Classifier, images: Images, targets: Targets) -> Heatmaps:
        """Draw the map of the seed, the same for every image of the batch."""
        noise = np.random.default_rng(self.seed).random(images.shape[1:3], dtype=np.float32)
        return np.repeat(noise[None], len(images), axis=0)
