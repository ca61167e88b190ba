"""Elementary effects of superpixels (Morris 1991, Technometrics 33; mu* of Campolongo et al. 2007)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float64, Int

from xaibench.api import Batch, Classifier, Heatmap, Heatmaps, Image, Need
from xaibench.methods.hiding import Baseline, hidden
from xaibench.methods.superpixels import RegionMasks, painted, superpixels

STEP = 2 / 3
"""Morris' step p / (2 (p - 1)) on a grid of p = 4 levels 0, 1/3, 2/3, 1."""


@dataclass(frozen=True)
class Morris:
    """Mean size of the change of the target's probability as one superpixel fades in or out, the others as drawn.

    A superpixel at level 0 shows the baseline, at 1 the image, between them a blend. Each trajectory starts at a
    random point of the grid and moves every superpixel once, in random order.
    """

    trajectories: int = 10
    segments: int = 30
    """About how many superpixels."""
    baseline: Baseline = "blur"

    family: ClassVar = "perturbation"
    needs: ClassVar = frozenset({Need.SCORES})
    source: ClassVar = "Morris 1991"
    deterministic: ClassVar = False
    presets: ClassVar = {
        "smoke": {"trajectories": 5, "segments": 16},
        "paper": {"trajectories": 20, "segments": 50},
    }

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: maps >= 0 in units of probability.

        One forward pass a trajectory and superpixel, and one a trajectory.
        """
        return np.stack([self._explain(classifier, *single) for single in batch])

    def _explain(self, classifier: Classifier, image: Image, target: int, seed: int) -> Heatmap:
        segments = superpixels(image, self.segments)
        points, order = trajectories(self.trajectories, int(segments.max()) + 1, np.random.default_rng(seed))
        masks = RegionMasks(points.reshape(-1, points.shape[-1]), segments)
        scores = classifier.masked_scores(image, masks, hidden(image, self.baseline))[:, target]
        effects = elementary_effects(points, order, scores.reshape(points.shape[:2]).astype(float))
        return painted(np.abs(effects).mean(axis=0), segments)


def trajectories(
    count: int, factors: int, rng: np.random.Generator
) -> tuple[Float64[np.ndarray, "r points factors"], Int[np.ndarray, "r factors"]]:
    """Points of each trajectory, one more than factors, and the order in which its factors move."""
    low = rng.integers(0, 2, (count, factors)) / 3
    upwards = rng.integers(0, 2, (count, factors)).astype(bool)
    order = rng.permuted(np.tile(np.arange(factors), (count, 1)), axis=1)
    moves_at = np.argsort(order, axis=1)
    moved = np.arange(factors + 1)[None, :, None] > moves_at[:, None, :]
    high = moved == upwards[:, None, :]
    return low[:, None, :] + STEP * high, order


def elementary_effects(
    points: Float64[np.ndarray, "r points factors"],
    order: Int[np.ndarray, "r factors"],
    values: Float64[np.ndarray, "r points"],
) -> Float64[np.ndarray, "r factors"]:
    """Change of the value over the change of the one factor that moved, in the order of the factors."""
    changes = np.diff(points, axis=1)
    steps = np.take_along_axis(changes, order[:, :, None], axis=2)[..., 0]
    effects = np.empty(order.shape)
    np.put_along_axis(effects, order, np.diff(values, axis=1) / steps, axis=1)
    return effects
