"""Stacked feature maps: a simulated image of each class (Provenzano et al. 2025, Tomography 11(3):38, sec. 2.2)."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Float32

from xaibench.harness.types import (
    Case,
    Classifier,
    CohortExplanation,
    Features,
    Heatmaps,
    Images,
    Need,
    Targets,
)
from xaibench.methods.stacking import Combine, stack
from xaibench.methods.upsampling import upsample


@dataclass(frozen=True)
class StackedFeatureMaps:
    """The most important feature map of each image, and these maps of a class stacked into a simulated image."""

    family: ClassVar[str] = "generator"
    needs: ClassVar[frozenset[Need]] = frozenset({Need.FEATURES, Need.FEATURE_GRADIENTS})
    source: ClassVar[str] = "Provenzano et al. 2025"

    importance: Literal["weight", "contribution"] = "weight"
    """What the most important map has most of: weight for the class (the paper's), or weight x mean of the map."""
    combine: Literal["max", "mean", "random", "softmax"] = "max"
    """How the simulated image takes its pixels (see stacking.Combine); max is the paper's."""
    content: Literal["pixel", "feature"] = "pixel"
    """What the simulated image shows: the images' own pixels, or the map, 0 .. its maximum on the input range."""
    layer: str | None = None
    """Name of the feature layer; None = the last convolutional block's output."""
    seed: int = 0
    """Draws of `combine = random`."""

    def __call__(self, classifier: Classifier, images: Images, targets: Targets) -> Heatmaps:
        """Explain each image: its most important feature map, upsampled bilinearly; the feature's own units."""
        maps, weights = self._weighted_maps(classifier, images, targets)
        importances = weights if self.importance == "weight" else weights * maps.mean(axis=(1, 2))
        chosen = importances.argmax(axis=1)
        most_important = np.take_along_axis(maps, chosen[:, None, None, None], axis=-1)[..., 0]
        return upsample(most_important, images.shape[1:3])

    def explain_cohort(self, classifier: Classifier, cases: list[Case]) -> dict[int, CohortExplanation]:
        """Stack the cases of each label, explained for that label; `sources` are indices in `cases`."""
        labels = np.array([case.label for case in cases])
        return {
            int(label): self._simulated(classifier, cases, np.flatnonzero(labels == label))
            for label in np.unique(labels)
        }

    def _simulated(self, classifier: Classifier, cases: list[Case], rows: np.ndarray) -> CohortExplanation:
        images = np.stack([cases[row].image for row in rows])
        label = cases[rows[0]].label
        maps = self(classifier, images, np.full(len(rows), label))
        contents = images if self.content == "pixel" else _shown(maps, images, classifier.input_range)
        rng = np.random.default_rng([self.seed, label])
        stacked = stack(maps, contents, Combine(self.combine), rng)
        sources = np.where(stacked.sources < 0, -1, rows[stacked.sources])
        return replace(stacked, sources=sources)

    def _weighted_maps(
        self, classifier: Classifier, images: Images, targets: Targets
    ) -> tuple[Features, Float32[np.ndarray, "n maps"]]:
        """Feature maps of each image and their weights for its target.

        The weights are the head's where it is pooling and one dense layer. Otherwise they are the gradient of the
        logit with respect to the pooled map, which is the gradient summed over the map's pixels.
        """
        head = classifier.head_weights() if self.layer is None else None
        if head is not None:
            return classifier.features(images), head[:, targets].T
        maps, gradients = classifier.feature_gradients(images, targets, self.layer)
        return maps, gradients.sum(axis=(1, 2))


def _shown(maps: Heatmaps, images: Images, input_range: tuple[float, float]) -> Images:
    """Maps as images: 0 and less at the lowest intensity, the maps' highest value at the highest; channels alike."""
    low, high = input_range
    highest = max(float(maps.max()), np.finfo(np.float32).tiny)
    shown = low + (high - low) * np.maximum(maps, 0) / highest
    return np.repeat(shown[..., None], images.shape[-1], axis=-1).astype(np.float32)
