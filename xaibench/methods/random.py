"""Control: noise that has nothing to do with image or model."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Batch, Classifier, Heatmaps, Need


@dataclass(frozen=True)
class Random:
    """Independent uniform noise in [0, 1): what any explainer must beat."""

    family: ClassVar = "control"
    needs: ClassVar = frozenset[Need]()
    source: ClassVar = "control"
    deterministic: ClassVar = False

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Draw a map for each image from its seed alone."""
        noise = [np.random.default_rng(seed).random(batch.space, dtype=np.float32) for *_, seed in batch]
        return np.stack(noise)
