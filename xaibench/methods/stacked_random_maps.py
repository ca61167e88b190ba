"""Control: the stacked-feature-map generator (Provenzano et al. 2025) with maps taken at random."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from xaibench.api import Case, Classifier, CohortExplanation, Heatmaps, Images, Need, Targets
from xaibench.methods.stacked_feature_maps import StackedFeatureMaps


@dataclass(frozen=True)
class StackedRandomMaps:
    """A random feature map of each image, and these maps of a class stacked: what importance has to beat.

    Everything but the choice of the map is as in stacked-feature-maps. A map that is 0 everywhere may be drawn, and
    then gives nothing to the stack.
    """

    family: ClassVar[str] = "control"
    needs: ClassVar[frozenset[Need]] = frozenset({Need.FEATURES})
    source: ClassVar[str] = "control"

    combine: Literal["max", "mean", "random", "softmax"] = "max"
    """How the simulated image takes its pixels (see stacking.Combine)."""
    content: Literal["pixel", "feature"] = "pixel"
    """What the simulated image shows (see stacked-feature-maps)."""
    layer: str | None = None
    """Name of the feature layer; None = the last convolutional block's output."""
    seed: int = 0
    """Decides which map; the run sets it for each case, so that cases draw independently."""

    def __call__(self, classifier: Classifier, images: Images, targets: Targets) -> Heatmaps:
        """Take the map of the seed, upsampled bilinearly, the same for every image of the batch and every target."""
        return self._generator(classifier, images, targets)

    def explain_cohort(self, cases: list[Case], maps: Heatmaps) -> dict[int, CohortExplanation]:
        """Stack the maps of each label's cases, apart from the other labels; `sources` are indices in `cases`."""
        return self._generator.explain_cohort(cases, maps)

    @property
    def _generator(self) -> StackedFeatureMaps:
        return StackedFeatureMaps("random", self.combine, self.content, self.layer, self.seed)
