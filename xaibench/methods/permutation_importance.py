"""Permutation importance of image cells (Breiman 2001, Machine Learning 45; Fisher et al. 2019, arXiv:1801.01489)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Background, Batch, Classifier, Heatmap, Heatmaps, Image, Images, Need
from xaibench.methods.cells import grid_cells
from xaibench.methods.superpixels import RegionMasks, painted


@dataclass(frozen=True)
class PermutationImportance:
    """Mean rise of the loss, -log probability of the target, as a cell takes its content from other patients.

    Breiman shuffles a feature over the cohort and averages over it; here each case has its own map, whose mean over
    a cohort is the feature's importance.
    """

    grid: int = 8
    """Cells along each side."""
    donors: int = 4
    """Training patients whose images give the content, one image each."""

    family: ClassVar = "perturbation"
    needs: ClassVar = frozenset({Need.SCORES, Need.TRAINING})
    source: ClassVar = "Breiman 2001"
    presets: ClassVar = {"smoke": {"grid": 5, "donors": 3}, "paper": {"grid": 14, "donors": 20}}

    def fit(self, classifier: Classifier, background: Background, seed: int) -> Mapping[str, np.ndarray]:
        """Draw the donors, each patient as likely, and one image of each."""
        rng = np.random.default_rng(seed)
        patients = np.unique(background.patients)
        chosen = rng.choice(patients, min(self.donors, len(patients)), replace=False)
        rows = [rng.choice(np.flatnonzero(np.array(background.patients) == patient)) for patient in chosen]
        return {"donors": background.images[rows]}

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: signed maps in units of the loss (nats). One forward pass a cell and donor, and one."""
        donors = batch.fitted["donors"]
        return np.stack([self._explain(classifier, image, target, donors) for image, target, _ in batch])

    def _explain(self, classifier: Classifier, image: Image, target: int, donors: Images) -> Heatmap:
        cells = grid_cells(image.shape[:-1], self.grid)
        others_kept = RegionMasks(1 - np.eye(int(cells.max()) + 1), cells)
        scores = [classifier.masked_scores(image, others_kept, donor)[:, target] for donor in donors]
        rises = loss(np.stack(scores)) - loss(classifier.remembered_scores(image))[target]
        return painted(rises.mean(axis=0), cells)


def loss(probabilities: np.ndarray) -> np.ndarray:
    """Cross-entropy of the explained class, finite where the probability is 0."""
    losses: np.ndarray = -np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))
    return losses
