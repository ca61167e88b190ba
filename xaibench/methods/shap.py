"""Partition SHAP: Owen values of image regions (Lundberg and Lee 2017, arXiv:1705.07874), by the package `shap`."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int, Shaped

from xaibench.api import Batch, Classifier, Heatmap, Heatmaps, Image, Need
from xaibench.methods.global_draws import global_draws
from xaibench.methods.hiding import blurred

BATCH = 64
"""Masks evaluated at once: as many as keep the model busy; more would let the search run less greedily."""
CELLS = 64
"""Most cells along a side. Smaller images are divided down to their pixels, larger ones to squares of a few."""


@dataclass(frozen=True)
class Shap:
    """Share of each pixel in probability(image) - probability(blurred image), by `shap.PartitionExplainer`.

    The explainer halves the image again and again where most is to be gained, until the budget is spent; the
    value of a region that was not divided is spread evenly over it. Hidden places show the image blurred by a box
    filter, which keeps its intensities (the package's inpainting casts to whole numbers). The package is given
    masks instead of images, so that the masked copies are made inside the classifier; the channels of a pixel
    are hidden together, and its value is theirs in sum. The seed decides between regions of equal promise.
    """

    evaluations: int = 256
    """Model evaluations an image, at most; even."""
    blur: float = 1 / 8
    """Side of the box filter, as a fraction of the image's height and width."""

    family: ClassVar = "perturbation"
    needs: ClassVar = frozenset({Need.SCORES})
    source: ClassVar = "Lundberg and Lee 2017"
    presets: ClassVar = {
        "smoke": {"evaluations": 64},
        "paper": {"evaluations": 1000},
    }
    deterministic: ClassVar = False

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: signed maps in units of probability."""
        cells = Cells(*(np.arange(side) // -(-side // CELLS) for side in batch.space))
        return np.stack([self._explain(classifier, *single, cells) for single in batch])

    def _explain(
        self, classifier: Classifier, image: Image, target: int, seed: int, cells: "Cells"
    ) -> Heatmap:
        from shap import PartitionExplainer  # slow to import

        backdrop = blurred(image, self.blur)

        def probability(kept: np.ndarray) -> np.ndarray:
            return classifier.masked_scores(image, cells.painted(kept), backdrop)[:, target]

        explainer = PartitionExplainer(probability, MaskHandedOn(cells.shape))
        with global_draws(seed):
            explained = explainer(
                np.empty((1, *cells.shape)), max_evals=self.evaluations, batch_size=BATCH, silent=True
            )
        values: np.ndarray = cells.painted(explained.values)[0] / cells.pixels
        return values.astype(np.float32)


@dataclass(frozen=True, eq=False)
class Cells:
    """The rectangles of pixels that are never divided."""

    row: Int[np.ndarray, "h"]
    """Row of cells that each row of pixels belongs to."""
    column: Int[np.ndarray, "w"]

    @property
    def shape(self) -> tuple[int, int]:
        """Number of cells down and across."""
        return int(self.row[-1]) + 1, int(self.column[-1]) + 1

    @property
    def pixels(self) -> Int[np.ndarray, "h w"]:
        """Number of pixels in the cell of each pixel."""
        counts: np.ndarray = np.outer(np.bincount(self.row)[self.row], np.bincount(self.column)[self.column])
        return counts

    def painted(self, values: Shaped[np.ndarray, "m rows columns"]) -> Shaped[np.ndarray, "m h w"]:
        """Give every pixel the value of its cell."""
        return values.take(self.row, axis=1).take(self.column, axis=2)


class MaskHandedOn:
    """A masker of the package: hides nothing itself, but hands the mask on to the model function."""

    immutable_outputs = True  # spares a deep copy of every mask

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self.shape = (1, size[0] * size[1])
        self.clustering = halvings(size)

    def __call__(self, mask: np.ndarray, _image: np.ndarray) -> tuple[np.ndarray]:
        """Return the mask as a batch of one."""
        return (mask.reshape(1, *self.size),)


@lru_cache(maxsize=4)
def halvings(size: tuple[int, int]) -> Float[np.ndarray, "merges 4"]:
    """The package's tree of axis-aligned halvings of a one-channel image, in scipy's linkage format."""
    from shap.maskers import Image as ImageMasker

    tree: np.ndarray = ImageMasker(0.0, (*size, 1)).clustering
    return tree
