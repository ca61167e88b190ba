"""Occlusion sensitivity (Zeiler and Fergus 2014, arXiv:1311.2901)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float32

from xaibench.api import Batch, Classifier, Heatmap, Heatmaps, Image, Need, XaibenchError


@dataclass(frozen=True)
class Occlusion:
    """Fall of the target's probability under a grey patch, averaged over the patches that cover a pixel.

    Grey is the image's own mean, a channel at a time: it needs no assumption about the intensity scale, and
    after standardisation it is the same zero that the paper's mean-subtracted images have under their patch.
    """

    patch: float = 1 / 8
    """Height and width of the patch, as a fraction of the image's."""
    stride: float = 1 / 16
    """Step between patches, as a fraction of the image's height and width."""

    family: ClassVar = "perturbation"
    needs: ClassVar = frozenset({Need.SCORES})
    source: ClassVar = "Zeiler and Fergus 2014"
    presets: ClassVar = {
        "smoke": {"patch": 1 / 4, "stride": 1 / 8},
        "paper": {"patch": 1 / 8, "stride": 1 / 32},
    }

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: signed maps in units of probability."""
        return np.stack([self._explain(classifier, image, target) for image, target, _ in batch])

    def _explain(self, classifier: Classifier, image: Image, target: int) -> Heatmap:
        rows, columns = (windows(size, self.patch, self.stride) for size in image.shape[:2])
        grey = np.broadcast_to(image.mean(axis=(0, 1)), image.shape)
        occluded = classifier.masked_scores(image, Patches(rows, columns), grey)[:, target]
        falls = classifier.remembered_scores(image)[target] - occluded
        return averaged(falls.reshape(len(rows), len(columns)), rows, columns)


@dataclass(frozen=True, eq=False)
class Patches:
    """Masks `[m h w]`, False under one patch each, row by row; made when asked for."""

    rows: Bool[np.ndarray, "a h"]
    columns: Bool[np.ndarray, "b w"]

    def __len__(self) -> int:
        """Return the number of patches."""
        return len(self.rows) * len(self.columns)

    def __getitem__(self, index: slice) -> Bool[np.ndarray, "m h w"]:
        """Return the masks of a slice."""
        row, column = np.divmod(np.arange(len(self))[index], len(self.columns))
        under: np.ndarray = self.rows[row][:, :, None] & self.columns[column][:, None, :]
        return ~under


def windows(size: int, patch: float, stride: float) -> Bool[np.ndarray, "positions size"]:
    """Pixels of an axis that each position of the patch covers; the last position is flush with the border."""
    length = min(size, max(1, round(size * patch)))
    step = max(1, round(size * stride))
    starts = np.unique(np.append(np.arange(0, size - length, step), size - length))
    offset = np.arange(size) - starts[:, None]
    covered: np.ndarray = (offset >= 0) & (offset < length)
    return covered


def averaged(
    falls: Float32[np.ndarray, "a b"], rows: Bool[np.ndarray, "a h"], columns: Bool[np.ndarray, "b w"]
) -> Heatmap:
    """Mean at each pixel of the values of the patches over it.

    Raises XaibenchError where the stride is so much longer than the patch that a pixel lies under none.
    """
    covered = np.outer(rows.sum(axis=0), columns.sum(axis=0))
    if not covered.all():
        raise XaibenchError(
            "Occlusion leaves pixels out, as its stride is longer than its patch; choose a stride <= patch."
        )
    total: np.ndarray = rows.T.astype(np.float32) @ falls @ columns.astype(np.float32)
    return (total / covered).astype(np.float32)
