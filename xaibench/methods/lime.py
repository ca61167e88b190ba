"""LIME for images (Ribeiro, Singh and Guestrin 2016, arXiv:1602.04938), by the package `lime`."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float32

from xaibench.api import Batch, Classifier, Heatmap, Heatmaps, Image, Need
from xaibench.methods.superpixels import RegionMasks, Segments, means_of, painted, superpixels


@dataclass(frozen=True)
class Lime:
    """Each superpixel painted with its coefficient in a local ridge regression of the target's probability.

    Draws, distances, kernel and ridge are the package's own, with its defaults. Only the perturbed images are
    made elsewhere, inside the classifier, for `lime_image` builds them one by one in Python and takes no image
    of one channel. A hidden superpixel takes its mean.
    """

    samples: int = 256
    segments: int = 50
    """About how many superpixels."""
    compactness: float = 0.2
    """SLIC's balance of nearness and likeness, for intensities scaled to [0, 1]."""
    smoothing: float = 1.0
    """Standard deviation in pixels of the blur before SLIC."""

    family: ClassVar = "perturbation"
    needs: ClassVar = frozenset({Need.SCORES})
    source: ClassVar = "Ribeiro et al. 2016"
    deterministic: ClassVar = False
    presets: ClassVar = {"smoke": {"samples": 64}, "paper": {"samples": 1000}}

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: signed maps, change of probability by keeping a superpixel. One pass a sample."""
        return np.stack([self._explain(classifier, *single) for single in batch])

    def _explain(self, classifier: Classifier, image: Image, target: int, seed: int) -> Heatmap:
        segments = superpixels(image, self.segments, self.compactness, self.smoothing)
        return painted(self.coefficients(classifier, image, target, seed, segments), segments)

    def coefficients(
        self, classifier: Classifier, image: Image, target: int, seed: int, segments: Segments
    ) -> Float32[np.ndarray, "segments"]:
        """Coefficient of each superpixel for the target's probability."""
        from lime.lime_image import LimeImageExplainer  # slow to import
        from sklearn.metrics import pairwise_distances

        explainer = LimeImageExplainer(random_state=seed)
        count = int(segments.max()) + 1
        kept = explainer.random_state.randint(0, 2, self.samples * count).reshape(self.samples, count)
        kept[0] = 1  # the image itself
        scores = classifier.masked_scores(image, RegionMasks(kept, segments), means_of(image, segments))
        distances = pairwise_distances(kept, kept[:1], metric="cosine").ravel()
        _, found, _, _ = explainer.base.explain_instance_with_data(
            kept, scores, distances, target, num_features=count, feature_selection="none"
        )
        indices, values = zip(*found, strict=True)
        coefficients = np.zeros(count, np.float32)
        coefficients[list(indices)] = values
        return coefficients
