"""SmoothGrad (Smilkov et al. 2017, arXiv:1706.03825)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Batch, Classifier, Heatmap, Heatmaps, Image, Need


@dataclass(frozen=True)
class SmoothGrad:
    """Size of the gradient averaged over noisy copies of the image (sec. 3), the largest of a pixel's channels."""

    samples: int = 50
    noise: float = 0.15
    """Standard deviation of the noise, as a fraction of the image's highest minus lowest intensity."""

    family: ClassVar = "gradient"
    needs: ClassVar = frozenset({Need.INPUT_GRADIENTS})
    source: ClassVar = "Smilkov et al. 2017"
    deterministic: ClassVar = False
    presets: ClassVar = {"smoke": {"samples": 16}, "paper": {"samples": 50}}

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: maps >= 0 in logit per intensity. One pass there and back a sample."""
        return np.stack([self._explain(classifier, *single) for single in batch])

    def _explain(self, classifier: Classifier, image: Image, target: int, seed: int) -> Heatmap:
        gradients = classifier.input_gradients(self.noisy(image, seed), np.array(target))
        largest: Heatmap = np.abs(gradients.mean(axis=0)).max(axis=-1)
        return largest

    def noisy(self, image: Image, seed: int) -> np.ndarray:
        """Copies of the image with noise of their own `[samples *space c]`."""
        draws = np.random.default_rng(seed).standard_normal((self.samples, *image.shape), dtype=np.float32)
        copies: np.ndarray = image + np.float32(self.noise * np.ptp(image)) * draws
        return copies
