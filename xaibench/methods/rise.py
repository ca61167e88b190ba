"""RISE: randomised input sampling (Petsiuk, Das and Saenko 2018, arXiv:1806.07421)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float32, Int

from xaibench.api import Batch, Classifier, Heatmap, Heatmaps, Image, Need
from xaibench.methods.hiding import black
from xaibench.methods.upsampling import interpolation


@dataclass(frozen=True)
class Rise:
    """Mean of random smooth masks, each weighted by the target's probability under it (eq. 6).

    Hidden places take the image's lowest intensity, its black. The masks are drawn from the image's seed: first the
    cells, then the row shifts, then the column shifts; images of one seed share them.
    """

    masks: int = 384
    grid: int = 7
    """Cells along each side of a mask."""
    probability: float = 0.5
    """Chance of a cell to be kept."""

    family: ClassVar = "perturbation"
    needs: ClassVar = frozenset({Need.SCORES})
    source: ClassVar = "Petsiuk et al. 2018"
    deterministic: ClassVar = False
    presets: ClassVar = {"smoke": {"masks": 96}, "paper": {"masks": 4000}}

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: maps in [0, 1 / probability], a weighted mean of masks over `masks x probability`."""
        masks = {seed: ShiftedMasks.drawn(self, batch.space, seed) for seed in set(batch.seeds.tolist())}
        return np.stack(
            [self._explain(classifier, image, target, masks[seed]) for image, target, seed in batch]
        )

    def _explain(self, classifier: Classifier, image: Image, target: int, masks: "ShiftedMasks") -> Heatmap:
        scores = classifier.masked_scores(image, masks, black(image))[:, target]
        return masks.weighted_sum(scores) / np.float32(self.masks * self.probability)


@dataclass(frozen=True, eq=False)
class ShiftedMasks:
    """Small binary grids, enlarged bilinearly by one cell more than the image and cut at a shift of their own.

    Enlarging and cutting are linear and separable, so mask i is `rows[down[i]] @ cells[i] @ columns[right[i]]`:
    no mask is kept, and a weighted sum of masks needs none of them (see weighted_sum).
    """

    cells: Float32[np.ndarray, "m s s"]
    """The grids, 1 = keep."""
    down: Int[np.ndarray, "m"]
    """Row shift of each mask, in pixels."""
    right: Int[np.ndarray, "m"]
    """Column shift of each mask, in pixels."""
    rows: Float32[np.ndarray, "shifts h s"]
    """Row interpolation at each shift."""
    columns: Float32[np.ndarray, "shifts2 s w"]
    """Column interpolation at each shift."""

    @classmethod
    def drawn(cls, rise: Rise, size: tuple[int, ...], seed: int) -> "ShiftedMasks":
        """Draw the masks of an image of `size` = (h, w); a cell is ceil(size / grid) pixels, as in the paper's code."""
        rng = np.random.default_rng(seed)
        cells = rng.random((rise.masks, rise.grid, rise.grid), dtype=np.float32) < rise.probability
        rows, columns = (_cuts(length, rise.grid) for length in size)
        return cls(
            cells=cells.astype(np.float32),
            down=rng.integers(0, len(rows), rise.masks),
            right=rng.integers(0, len(columns), rise.masks),
            rows=rows,
            columns=np.ascontiguousarray(columns.transpose(0, 2, 1)),
        )

    def __len__(self) -> int:
        """Return the number of masks."""
        return len(self.cells)

    def __getitem__(self, index: slice) -> Float32[np.ndarray, "some h w"]:
        """Return the masks of a slice, in [0, 1]."""
        masks: np.ndarray = self.rows[self.down[index]] @ self._wide(index)
        return masks

    def weighted_sum(self, weights: Float32[np.ndarray, "m"]) -> Heatmap:
        """Sum of weight x mask: masks of one row shift are added while still small, then enlarged together."""
        small = np.zeros((len(self.rows), *self.columns.shape[1:]), np.float32)
        np.add.at(small, self.down, weights[:, None, None] * self._wide(slice(None)))
        total: np.ndarray = np.tensordot(self.rows, small, axes=([0, 2], [0, 1]))
        return total

    def _wide(self, index: slice) -> Float32[np.ndarray, "some s w"]:
        """Grids enlarged along the columns only."""
        wide: np.ndarray = self.cells[index] @ self.columns[self.right[index]]
        return wide


def _cuts(size: int, grid: int) -> Float32[np.ndarray, "shifts size grid"]:
    """Interpolation of an axis of `grid` cells, enlarged to the width of one cell more, cut at each shift."""
    cell = -(-size // grid)
    enlarged = interpolation((grid + 1) * cell, grid)
    return np.stack([enlarged[shift : shift + size] for shift in range(cell)])
