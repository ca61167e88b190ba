"""LIME for images (Ribeiro, Singh and Guestrin 2016, arXiv:1602.04938), by the package `lime`."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float32, Int

from xaibench.api import Batch, Classifier, Heatmap, Heatmaps, Image, Need

Segments = Int[np.ndarray, "h w"]


@dataclass(frozen=True)
class Lime:
    """Each superpixel painted with its coefficient in a local ridge regression of the target's probability.

    Draws, distances, kernel and ridge are the package's own, with its defaults. Only the perturbed images are
    made elsewhere, inside the classifier, for `lime_image` builds them one by one in Python and takes no image
    of one channel. Superpixels are SLIC's (Achanta et al. 2012) on the channel mean; a hidden one takes its mean.
    """

    samples: int = 256
    segments: int = 50
    """About how many superpixels."""
    compactness: float = 0.2
    """SLIC's balance of nearness and likeness, for intensities scaled to [0, 1]."""
    smoothing: float = 1.0
    """Standard deviation in pixels of the blur before SLIC; without it noise can melt all superpixels into one."""

    family: ClassVar = "perturbation"
    needs: ClassVar = frozenset({Need.SCORES})
    source: ClassVar = "Ribeiro et al. 2016"
    presets: ClassVar = {
        "smoke": {"samples": 64},
        "paper": {"samples": 1000},
    }
    deterministic: ClassVar = False

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: signed maps, change of probability by keeping a superpixel."""
        return np.stack([self._explain(classifier, *single) for single in batch])

    def _explain(self, classifier: Classifier, image: Image, target: int, seed: int) -> Heatmap:
        segments = self.superpixels(image)
        painted: np.ndarray = self.coefficients(classifier, image, target, seed, segments)[segments]
        return painted

    def superpixels(self, image: Image) -> Segments:
        """Label the superpixels 0, 1, ...; SLIC starts from a regular grid, so nothing is drawn."""
        from skimage.segmentation import slic  # slow to import

        labels: np.ndarray = slic(
            image.mean(axis=-1),
            n_segments=self.segments,
            compactness=self.compactness,
            sigma=self.smoothing,
            start_label=0,
            channel_axis=None,
        )
        return labels

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
        scores = classifier.masked_scores(image, RegionMasks(kept, segments), _flattened(image, segments))
        distances = pairwise_distances(kept, kept[:1], metric="cosine").ravel()
        _, found, _, _ = explainer.base.explain_instance_with_data(
            kept, scores, distances, target, num_features=count, feature_selection="none"
        )
        indices, values = zip(*found, strict=True)
        coefficients = np.zeros(count, np.float32)
        coefficients[list(indices)] = values
        return coefficients


@dataclass(frozen=True, eq=False)
class RegionMasks:
    """Masks `[m h w]` that keep or hide whole superpixels; made when asked for."""

    kept: Int[np.ndarray, "m segments"]
    segments: Segments

    def __len__(self) -> int:
        """Return the number of masks."""
        return len(self.kept)

    def __getitem__(self, index: slice) -> Float32[np.ndarray, "some h w"]:
        """Return the masks of a slice."""
        return np.take(self.kept[index].astype(np.float32), self.segments, axis=1)


def _flattened(image: Image, segments: Segments) -> Image:
    """Every superpixel filled with its mean, a channel at a time."""
    sizes = np.bincount(segments.ravel())
    means = [
        np.bincount(segments.ravel(), weights=channel.ravel()) / sizes
        for channel in np.moveaxis(image, -1, 0)
    ]
    flat: np.ndarray = np.stack(means, axis=-1).astype(np.float32)[segments]
    return flat
