"""Ablation-CAM (Ramaswamy and Desai 2020, WACV)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float32

from xaibench.api import Batch, Classifier, Features, Heatmaps, Need
from xaibench.methods.cam_core import positive_sum

AT_ONCE = 64  # changed copies of the maps in memory


@dataclass(frozen=True)
class AblationCam:
    """Feature maps weighted by the share of the target's logit that is lost without each of them (eq. 1, 2).

    A map is taken away by setting it to 0, and only the layers behind it are run again. The share is of the
    logit's size, so that a negative logit does not turn the map over; where it is positive this is the paper's.
    """

    layer: str | None = None
    """Name of the feature layer; None = the last convolutional block's output."""

    family: ClassVar = "cam"
    needs: ClassVar = frozenset({Need.FEATURES, Need.LOGITS_FROM_FEATURES})
    source: ClassVar = "Ramaswamy and Desai 2020"

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: maps >= 0 in the features' units. One forward pass, and the head's for each map."""
        maps = classifier.features(batch.images, self.layer)
        pairs = zip(maps, batch.targets, strict=True)
        weights = np.stack([self._lost_shares(classifier, own, int(target)) for own, target in pairs])
        return positive_sum(maps, weights[:, None, None], batch.space)

    def _lost_shares(
        self, classifier: Classifier, maps: Float32[np.ndarray, "fh fw maps"], target: int
    ) -> Float32[np.ndarray, "maps"]:
        """Fall of the logit without each map, over the logit's size (eq. 1)."""
        whole = classifier.logits_from_features(maps[None], self.layer)[0, target]
        count = maps.shape[-1]
        without = [
            classifier.logits_from_features(
                ablated(maps, range(start, min(start + AT_ONCE, count))), self.layer
            )
            for start in range(0, count, AT_ONCE)
        ]
        size = abs(float(whole)) or 1.0
        shares: np.ndarray = (whole - np.concatenate(without)[:, target]) / size
        return shares.astype(np.float32)


def ablated(maps: Float32[np.ndarray, "fh fw maps"], channels: range) -> Features:
    """Copies of the maps, each without one of the channels."""
    copies = np.repeat(maps[None], len(channels), axis=0)
    copies[np.arange(len(channels)), ..., np.array(channels)] = 0
    return copies
