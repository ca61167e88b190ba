"""Stacked feature maps: a simulated image of each class (Provenzano et al. 2025, Tomography 11(3):38, sec. 2.2)."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Float32, Int

from xaibench.api import Batch, Case, Classifier, CohortExplanation, Features, Heatmaps, Images, Need, Regions
from xaibench.methods.stacking import Combine, stack
from xaibench.methods.upsampling import upsample


@dataclass(frozen=True)
class StackedFeatureMaps:
    """The most important feature map of each image, and these maps of a class stacked into a simulated image."""

    importance: Literal["weight", "contribution"] = "weight"
    """What the most important map has most of: weight for the class (the paper's), or weight x mean of the map."""
    combine: Literal["max", "mean", "random", "softmax"] = "max"
    """How the simulated image takes its pixels (see stacking.Combine); max is the paper's.

    `random` draws the same pixels in every run.
    """
    content: Literal["pixel", "feature"] = "pixel"
    """What the simulated image shows: the images' own pixels, or the map, 0 .. the highest on the images' range."""
    layer: str | None = None
    """Name of the feature layer; None = the last convolutional block's output."""

    family: ClassVar = "generator"
    needs: ClassVar = frozenset({Need.FEATURES, Need.FEATURE_GRADIENTS})
    source: ClassVar = "Provenzano et al. 2025"

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: its most important feature map, upsampled bilinearly; the feature's own units."""
        maps, importances = self._maps_and_importances(classifier, batch)
        return upsample(taken(maps, importances.argmax(axis=1)), batch.space)

    def explain_cohort(self, cases: list[Case], maps: Heatmaps) -> dict[int, CohortExplanation]:
        """Stack the maps of each label's cases, apart from the other labels; `sources` are indices in `cases`."""
        labels = np.array([case.label for case in cases])
        return {
            int(label): self._simulated(cases, maps, np.flatnonzero(labels == label))
            for label in np.unique(labels)
        }

    def _simulated(
        self, cases: list[Case], maps: Heatmaps, rows: Int[np.ndarray, "rows"]
    ) -> CohortExplanation:
        stacked_cases = [cases[row] for row in rows]
        images = np.stack([case.image for case in stacked_cases])
        contents = images if self.content == "pixel" else _shown(maps[rows], images)
        rng = np.random.default_rng([0, stacked_cases[0].label])
        stacked = stack(maps[rows], contents, _regions(stacked_cases), Combine(self.combine), rng)
        sources = np.where(stacked.sources < 0, -1, rows[stacked.sources])
        return replace(stacked, sources=sources)

    def _maps_and_importances(
        self, classifier: Classifier, batch: Batch
    ) -> tuple[Features, Float32[np.ndarray, "n maps"]]:
        """Feature maps of each image, and how important each is: the highest is taken."""
        maps, weights = self._weighted_maps(classifier, batch)
        return maps, weights if self.importance == "weight" else weights * maps.mean(axis=(1, 2))

    def _weighted_maps(
        self, classifier: Classifier, batch: Batch
    ) -> tuple[Features, Float32[np.ndarray, "n maps"]]:
        """Feature maps of each image and their weights for its target.

        The weights are the head's where it is pooling and one dense layer. Otherwise they are the gradient of the
        logit with respect to the pooled map, which is the gradient summed over the map's pixels.
        """
        head = classifier.head_weights() if self.layer is None else None
        if head is not None:
            return classifier.features(batch.images), head[:, batch.targets].T
        maps, gradients = classifier.feature_gradients(batch.images, batch.targets, self.layer)
        return maps, gradients.sum(axis=(1, 2))


def taken(maps: Features, chosen: Int[np.ndarray, "n"]) -> Heatmaps:
    """Return the chosen feature map of each image."""
    one_each: np.ndarray = np.take_along_axis(maps, chosen[:, None, None, None], axis=-1)
    return one_each[..., 0]


def _shown(maps: Heatmaps, images: Images) -> Images:
    """Maps as images: 0 and less at the images' lowest intensity, the maps' highest value at their highest."""
    low, high = images.min(), images.max()
    highest = max(float(maps.max()), np.finfo(np.float32).tiny)
    shown = low + (high - low) * np.maximum(maps, 0) / highest
    return np.repeat(shown[..., None], images.shape[-1], axis=-1).astype(np.float32)


def _regions(cases: list[Case]) -> Regions | None:
    regions = [case.region for case in cases if case.region is not None]
    return np.stack(regions) if len(regions) == len(cases) else None
