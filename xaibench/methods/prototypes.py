"""Nearest training patients, and where the image is like them (after Chen et al. 2019, ProtoPNet, arXiv:1806.10574)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float32

from xaibench.api import Background, Batch, Classifier, Detailed, Heatmap, Need, NotApplicable
from xaibench.methods.upsampling import upsample

EPSILON = 1e-4
"""Keeps the similarity of equal patches finite, as in the paper."""
NEAREST = 3
"""Training patients that are named."""

Maps = Float32[np.ndarray, "fh fw maps"]


@dataclass(frozen=True)
class Prototypes:
    """Similarity of each place to the best-matching patch of the nearest training case of the explained class.

    The nearest case has the smallest distance between pooled feature maps. Of its patches (feature vectors of one
    place) the one with the largest inner product with a patch of the image is the prototype: the distance would match
    empty background as gladly as a tumour. Unlike ProtoPNet's, prototypes are not trained: the model is explained as
    it is, and nothing says that it decides by them.
    """

    images: int = 100
    """Training images that are kept, at most."""
    layer: str | None = None
    """Name of the feature layer; None = the last convolutional block's output."""

    family: ClassVar = "case-based"
    needs: ClassVar = frozenset({Need.FEATURES, Need.TRAINING})
    source: ClassVar = "after Chen et al. 2019"
    presets: ClassVar = {"smoke": {"images": 50}, "paper": {"images": 250}}

    def fit(self, classifier: Classifier, background: Background, seed: int) -> Mapping[str, np.ndarray]:
        """Keep the feature maps of training images drawn without replacement. One forward pass each."""
        rows = np.random.default_rng(seed).permutation(len(background.images))[: self.images]
        patients = np.unique(background.patients, return_inverse=True)[1]
        maps = classifier.features(background.images[rows], self.layer)
        return {"maps": maps, "labels": background.labels[rows], "patients": patients[rows]}

    def __call__(self, classifier: Classifier, batch: Batch) -> Detailed:
        """Explain each image: maps >= 0, log similarities. One forward pass.

        Recorded: the nearest training patients (`nearest_1` to `nearest_3`, counted from 0 in the order of their
        pseudonyms), and the distance to the first. Raises NotApplicable for a class without training images.
        """
        maps = classifier.features(batch.images, self.layer)
        pairs = zip(maps, batch.targets, strict=True)
        found = [_explain(own, int(target), batch.fitted) for own, target in pairs]
        heatmaps, details = zip(*found, strict=True)
        return Detailed(upsample(np.stack(heatmaps), batch.space), tuple(details))


def _explain(maps: Maps, target: int, fitted: Mapping[str, np.ndarray]) -> tuple[Heatmap, dict[str, float]]:
    rows = np.flatnonzero(fitted["labels"] == target)
    if not len(rows):
        raise NotApplicable(f"class {target} has no training images")
    pooled = fitted["maps"][rows].mean(axis=(1, 2))
    distances = np.linalg.norm(pooled - maps.mean(axis=(0, 1)), axis=1)
    order = distances.argsort()
    patients = list(dict.fromkeys(fitted["patients"][rows[order]]))[:NEAREST]
    details = {f"nearest_{place}": float(patient) for place, patient in enumerate(patients, 1)}
    prototype = best_match(maps, fitted["maps"][rows[order[0]]])
    return similarity(maps, prototype), {**details, "distance": float(distances.min())}


def best_match(maps: Maps, others: Maps) -> Float32[np.ndarray, "maps"]:
    """Feature vector of the other case whose inner product with one of the image's is the largest."""
    candidates = others.reshape(-1, others.shape[-1])
    products = candidates @ maps.reshape(-1, maps.shape[-1]).T
    best: np.ndarray = candidates[products.max(axis=1).argmax()]
    return best


def similarity(maps: Maps, prototype: Float32[np.ndarray, "maps"]) -> Heatmap:
    """Log of (d^2 + 1) / (d^2 + epsilon) for the distance d of each place to the prototype (sec. 2.1)."""
    squared = ((maps - prototype) ** 2).sum(axis=-1)
    similar: Heatmap = np.log1p(np.float32(1 - EPSILON) / (squared + np.float32(EPSILON)))
    return similar
