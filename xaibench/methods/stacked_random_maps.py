"""Control: the stacked-feature-map generator (Provenzano et al. 2025) with maps taken at random."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from xaibench.api import Batch, Case, Classifier, CohortExplanation, Heatmaps, Need
from xaibench.methods.stacked_feature_maps import StackedFeatureMaps, taken
from xaibench.methods.upsampling import upsample


@dataclass(frozen=True)
class StackedRandomMaps:
    """A random feature map of each image, and these maps of a class stacked: what importance has to beat.

    Everything but the choice of the map is as in stacked-feature-maps. A map that is 0 everywhere may be drawn, and
    then gives nothing to the stack.
    """

    combine: Literal["max", "mean", "random", "softmax"] = "max"
    """How the simulated image takes its pixels (see stacking.Combine)."""
    content: Literal["pixel", "feature"] = "pixel"
    """What the simulated image shows (see stacked-feature-maps)."""
    layer: str | None = None
    """Name of the feature layer; None = the last convolutional block's output."""

    family: ClassVar = "control"
    needs: ClassVar = frozenset({Need.FEATURES})
    source: ClassVar = "control"
    deterministic: ClassVar = False

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Take a map by each image's seed, any as likely, upsampled bilinearly, the same for every target."""
        maps = classifier.features(batch.images, self.layer)
        draws = np.stack(
            [np.random.default_rng(seed).random(maps.shape[-1], np.float32) for *_, seed in batch]
        )
        return upsample(taken(maps, draws.argmax(axis=1)), batch.space)

    def explain_cohort(self, cases: list[Case], maps: Heatmaps) -> dict[int, CohortExplanation]:
        """Stack the maps of each label's cases, apart from the other labels; `sources` are indices in `cases`."""
        return StackedFeatureMaps(combine=self.combine, content=self.content).explain_cohort(cases, maps)
