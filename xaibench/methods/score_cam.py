"""Score-CAM (Wang et al. 2020, arXiv:1910.01279)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float32, Int
from scipy.special import softmax

from xaibench.api import Batch, Classifier, Features, Heatmaps, Image, Need
from xaibench.methods.cam_core import positive_sum
from xaibench.methods.hiding import black
from xaibench.methods.upsampling import upsample

AT_ONCE = 64  # masked copies in memory


@dataclass(frozen=True)
class ScoreCam:
    """Feature maps weighted by the target's logit for the image seen through each of them (algorithm 1).

    Each map, upsampled and stretched to 0 .. 1, masks the image; hidden places take the image's black. The weights
    are the softmax over the maps of the logits; the logit of the black image, which the paper subtracts, cancels.
    """

    channels: int | None = 256
    """How many maps are used, those of the widest range in the image; None = all, as in the paper."""
    layer: str | None = None
    """Name of the feature layer; None = the last convolutional block's output."""

    family: ClassVar = "cam"
    needs: ClassVar = frozenset({Need.FEATURES})
    source: ClassVar = "Wang et al. 2020"
    presets: ClassVar = {"smoke": {"channels": 64}, "paper": {"channels": None}}

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: maps >= 0 in the features' units. One forward pass, and one for each map used."""
        maps = classifier.features(batch.images, self.layer)
        return np.concatenate(
            [
                self._explain(classifier, image, target, own[None])
                for (image, target, _), own in zip(batch, maps, strict=True)
            ]
        )

    def _explain(self, classifier: Classifier, image: Image, target: int, maps: Features) -> Heatmaps:
        used = maps[..., self._widest(maps)]
        masks = upsample(np.moveaxis(stretched(used)[0], -1, 0), image.shape[:-1])
        logits = np.concatenate(
            [
                classifier.logits(seen_through(image, masks[start : start + AT_ONCE]))
                for start in range(0, len(masks), AT_ONCE)
            ]
        )
        return positive_sum(used, softmax(logits[:, target]), image.shape[:-1])

    def _widest(self, maps: Features) -> Int[np.ndarray, "used"]:
        """Channels of the maps with the widest range, in their own order."""
        order: np.ndarray = np.argsort(-np.ptp(maps, axis=(0, 1, 2)), kind="stable")
        return np.sort(order[: self.channels])


def stretched(maps: Features) -> Features:
    """Each map stretched to 0 .. 1; a flat one becomes 0."""
    low, width = maps.min(axis=(1, 2), keepdims=True), np.ptp(maps, axis=(1, 2), keepdims=True)
    scaled: np.ndarray = np.zeros_like(maps)
    np.divide(maps - low, width, out=scaled, where=width > 0)
    return scaled


def seen_through(image: Image, masks: Float32[np.ndarray, "m h w"]) -> Float32[np.ndarray, "m h w c"]:
    """Image through each mask, black where the mask is 0."""
    kept = masks[..., None]
    seen: np.ndarray = kept * image + (1 - kept) * black(image)
    return seen
