"""A global linear surrogate of the classifier (Craven and Shavlik 1996; Molnar 2022, chapter 8.6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float32, Float64

from xaibench.api import Background, Batch, Classifier, Detailed, Images, Need
from xaibench.methods.cells import grid_cells
from xaibench.methods.ridge import fitted_ridge
from xaibench.methods.superpixels import spread


@dataclass(frozen=True)
class Surrogate:
    """Ridge regression of the classifier's own logits on the mean intensities of cells, fitted to training images.

    The local map is coefficient x deviation from the training mean, and sums to the surrogate's logit minus its mean.
    It says about the classifier only what the surrogate's R2 allows, which is recorded beside each map: held out,
    no patient on both sides; at or below 0 the map says nothing.
    """

    grid: int = 8
    """Cells along each side."""

    family: ClassVar = "surrogate"
    needs: ClassVar = frozenset({Need.SCORES, Need.TRAINING})
    source: ClassVar = "Craven and Shavlik 1996"

    def fit(self, classifier: Classifier, background: Background, seed: int) -> Mapping[str, np.ndarray]:
        """Fit a surrogate for each class, and its R2. One forward pass a training image."""
        features = self._features(background.images)
        ridge = fitted_ridge(features, classifier.logits(background.images), background.patients)
        return {"coefficients": ridge.coefficients, "means": features.mean(axis=0), "r2": ridge.r2}

    def __call__(self, classifier: Classifier, batch: Batch) -> Detailed:
        """Explain each image: signed maps in units of the logit. No pass of the model."""
        cells = grid_cells(batch.space, self.grid)
        deviations = self._features(batch.images) - batch.fitted["means"]
        terms = batch.fitted["coefficients"][batch.targets] * deviations
        heatmaps = np.stack([spread(own, cells) for own in terms])
        return Detailed(
            heatmaps, tuple({"surrogate_r2": float(batch.fitted["r2"][target])} for target in batch.targets)
        )

    def _features(self, images: Images) -> Float64[np.ndarray, "n cells"]:
        """Mean intensity of each cell over its pixels and channels."""
        cells = grid_cells(images.shape[1:-1], self.grid)
        return np.stack([_cell_means(image.mean(axis=-1), cells) for image in images])


def _cell_means(grey: Float32[np.ndarray, "h w"], cells: np.ndarray) -> np.ndarray:
    sums = np.bincount(cells.ravel(), weights=grey.ravel())
    means: np.ndarray = sums / np.bincount(cells.ravel())
    return means
