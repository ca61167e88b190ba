"""FastSHAP: Shapley values by one pass of a trained explainer (Jethani et al. 2022, arXiv:2107.07436)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float32, Float64

from xaibench.api import Background, Batch, Classifier, Detailed, Features, Image, Images, Need
from xaibench.methods.cells import grid_cells
from xaibench.methods.hiding import Baseline, hidden
from xaibench.methods.ridge import fitted_ridge
from xaibench.methods.shap_kernel import ShapKernel
from xaibench.methods.superpixels import RegionMasks, spread
from xaibench.methods.upsampling import interpolation

Equations = tuple[Float64[np.ndarray, "coalitions k"], Float64[np.ndarray, "coalitions classes"]]


@dataclass(frozen=True)
class FastShap:
    """Shapley values of grid cells, predicted from the classifier's own feature maps.

    The explainer is one 1 x 1 convolution on the frozen last feature maps. It is trained on the paper's loss: the
    squared error of the values' sum over a coalition, for coalitions by the Shapley kernel, each with its complement,
    and values corrected to add up (its additive efficient normalisation). For a linear explainer the minimum of that
    loss has a closed form; a ridge penalty is added. How well it predicts what coalitions of unseen patients are worth
    (R2) is recorded beside each map; at or below 0 the map says nothing. So plain an explainer cannot know which images
    nothing moves: where the probability hardly depends on the cells, its values are too large.
    """

    images: int = 100
    """Training images, at most."""
    pairs: int = 16
    """Coalitions a training image, each with its complement."""
    grid: int = 8
    """Cells along each side."""
    baseline: Baseline = "blur"
    """What hidden cells show."""

    family: ClassVar = "perturbation"
    needs: ClassVar = frozenset({Need.SCORES, Need.FEATURES, Need.TRAINING})
    source: ClassVar = "Jethani et al. 2022"
    presets: ClassVar = {
        "smoke": {"images": 24, "pairs": 8},
        "paper": {"images": 250, "pairs": 32, "grid": 14},
    }

    def fit(self, classifier: Classifier, background: Background, seed: int) -> Mapping[str, np.ndarray]:
        """Train the explainer. Two forward passes a training image and pair, and three a training image.

        Raises NotApplicable for fewer than two patients.
        """
        rng = np.random.default_rng(seed)
        rows = rng.permutation(len(background.images))[: self.images]
        equations = [self._equations(classifier, background.images[row], rng) for row in rows]
        patients = [background.patients[row] for row in rows for _ in range(2 * self.pairs)]
        terms, worths = (np.concatenate(part) for part in zip(*equations, strict=True))
        ridge = fitted_ridge(terms, worths, patients, intercept=False)
        return {"weights": ridge.coefficients, "r2": ridge.r2}

    def __call__(self, classifier: Classifier, batch: Batch) -> Detailed:
        """Explain each image: signed maps that sum to probability(image) - probability(baseline).

        Three forward passes.
        """
        cells = grid_cells(batch.space, self.grid)
        weights = batch.fitted["weights"][batch.targets]
        raw = np.einsum("nck,nk->nc", self._features(classifier, batch.images), weights)
        missing = self.promised_total(classifier, batch) - raw.sum(axis=1)
        values = raw + missing[:, None] / raw.shape[1]
        heatmaps = np.stack([spread(own, cells) for own in values])
        r2 = batch.fitted["r2"][batch.targets]
        return Detailed(heatmaps, tuple({"fastshap_r2": float(own)} for own in r2))

    def promised_total(self, classifier: Classifier, batch: Batch) -> Float32[np.ndarray, "n"]:
        """Probability of the target for the image minus that for its baseline, as of shap-kernel."""
        return ShapKernel(baseline=self.baseline).promised_total(classifier, batch)

    def _equations(self, classifier: Classifier, image: Image, rng: np.random.Generator) -> Equations:
        """What the weights multiply in the corrected sum of each coalition, and what the product should be."""
        cells = grid_cells(image.shape[:-1], self.grid)
        kept = coalitions(self.pairs, int(cells.max()) + 1, rng)
        share = kept.mean(axis=1, keepdims=True)
        features = self._features(classifier, image[None])[0]
        empty = hidden(image, self.baseline)
        whole, none = classifier.scores(np.stack([image, empty])).astype(float)
        worth = classifier.masked_scores(image, RegionMasks(kept, cells), empty) - none
        return kept @ features - share * features.sum(axis=0), worth - share * (whole - none)

    def _features(self, classifier: Classifier, images: Images) -> Float64[np.ndarray, "n cells k"]:
        return cell_features(classifier.features(images), images.shape[1:-1], self.grid)


def cell_features(maps: Features, space: tuple[int, ...], grid: int) -> Float64[np.ndarray, "n cells k"]:
    """Mean of the bilinearly upsampled feature maps over each cell, without upsampling them."""
    rows, columns = (
        _averages(side, min(grid, side)) @ interpolation(side, places)
        for side, places in zip(space, maps.shape[1:-1], strict=True)
    )
    means: np.ndarray = np.einsum("ri,nijk,cj->nrck", rows, maps, columns, optimize=True)
    return means.reshape(len(maps), -1, maps.shape[-1])


def _averages(side: int, cells: int) -> Float64[np.ndarray, "cells side"]:
    """Weights that average the pixels of an axis over each cell of `grid_cells`."""
    members = np.arange(side) * cells // side == np.arange(cells)[:, None]
    weights: np.ndarray = members / members.sum(axis=1, keepdims=True)
    return weights


def coalitions(
    pairs: int, players: int, rng: np.random.Generator
) -> Float64[np.ndarray, "coalitions players"]:
    """Coalitions of 1 .. players - 1 by the Shapley kernel, each with its complement."""
    sizes = np.arange(1, players)
    chances = 1 / (sizes * (players - sizes))
    drawn = rng.choice(sizes, pairs, p=chances / chances.sum())
    ranks = rng.random((pairs, players)).argsort(axis=1).argsort(axis=1)
    kept = ranks < drawn[:, None]
    return np.concatenate([kept, ~kept]).astype(float)
