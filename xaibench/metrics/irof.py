"""Iterative removal of features (Rieger and Hansen 2020, "IROF", arXiv:2003.08747)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float, Int

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Heatmaps, Measurement, Need, seed_of
from xaibench.metrics.common.curves import check_points
from xaibench.metrics.common.once import once_a_case
from xaibench.metrics.common.removal import Removal, check_baseline
from xaibench.metrics.common.shifts import measured, with_shifted


@dataclass(frozen=True)
class Irof:
    """Area over the probability of the explained class while whole image segments are removed; high is good.

    Mean over l of 1 - p_l / p_0, by the trapezoidal rule over l = 0 .. L, where p_l is the probability once the l
    segments with the highest mean of the map are replaced by the baseline (the image's mean, as in the paper).
    Segments are SLIC's, about `segments`. Range -infinity .. 1: it is negative where the probability
    rises. Beside it: `gain` over the map shifted around the image's torus.

    Chance has no fixed value: holes alone change the answer. Pitfalls: a segment that is half right counts as
    a whole; where the class is unlikely to begin with, p_l / p_0 may be large.
    """

    segments: int = 16
    baseline: str = "mean"
    seed: int = 0

    family: ClassVar = Family.FAITHFULNESS
    higher_is_better: ClassVar = True
    range: ClassVar = (-float("inf"), 1.0)
    source: ClassVar = "Rieger and Hansen 2020"
    chance: ClassVar = "that of the same map shifted around the image's torus: value - gain"
    needs: ClassVar = frozenset({Need.SCORES})
    aggregate: ClassVar = "median"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "smoke": {"segments": 10},
        "paper": {"segments": 300},
    }

    def __post_init__(self) -> None:
        check_baseline(self.baseline)
        check_points(self.segments)

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Area over the curve. Raises NotApplicable where there is no evidence to remove."""
        removal = Removal(classifier, case, explanation.target, self.baseline, self.seed)
        removal.require_evidence()
        segments = _segments(case, self.segments)
        maps = with_shifted(explanation.heatmap, case, self.seed)
        places = _places(maps, segments, seed_of(self.seed, case.id, "irof"))
        count = places.shape[1]
        kept = places[:, segments][:, None] >= np.arange(count + 1).reshape(-1, *[1] * segments.ndim)
        lost = 1 - removal.probabilities(kept) / removal.whole
        return measured(np.trapezoid(lost, axis=1) / count, self.higher_is_better)


@once_a_case
def _segments(case: Case, wanted: int) -> Int[np.ndarray, "*space"]:
    """Number of the segment of each pixel, from 0 on without gaps."""
    from skimage.segmentation import slic  # slow to import

    image = (case.image - case.image.min()) / max(float(np.ptp(case.image)), 1e-12)
    found = slic(image, n_segments=wanted, start_label=0, channel_axis=-1, convert2lab=False)
    return np.unique(found, return_inverse=True)[1].reshape(found.shape)


def _places(maps: Heatmaps, segments: np.ndarray, seed: int) -> Int[np.ndarray, "n segments"]:
    """Place of each segment by its mean in each map, 0 for the highest; ties in one seeded order."""
    sizes = np.bincount(segments.ravel())
    means: Float[np.ndarray, "n segments"] = np.array(
        [np.bincount(segments.ravel(), one.ravel()) / sizes for one in maps]
    )
    ties = np.random.default_rng(seed).permutation(sizes.size)
    order = np.array([np.lexsort((ties, -of_segments)) for of_segments in means])
    return np.argsort(order, axis=1)
