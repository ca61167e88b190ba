"""Stability under what differs between two scans of one patient (the review's clinical robustness)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import (
    Case,
    Classifier,
    Explain,
    Explanation,
    Family,
    Heatmap,
    Measurement,
    Need,
    Region,
    seed_of,
)
from xaibench.metrics.common.acquisition import differences
from xaibench.metrics.common.copies import same_class
from xaibench.metrics.common.similarity import spearman


@dataclass(frozen=True)
class MriStability:
    """Mean Spearman correlation of the map with those of copies changed as another scan would be; high is good.

    Four copies: turned by 2.5 to 5 degrees (the map is turned back, and compared where it is known), a bias field of
    at most 20 %, Rician noise of 3 % of the image's own robust range, and a change of contrast (a power of up to 1.2 of
    the intensities). Where one flips the predicted class it is replaced by one with half the strength, and so on,
    or left out. Range -1 .. 1; ties at their mean rank. Beside it: the correlation of each (`rotation`,
    `bias_field`, `noise`, `contrast`), `strength`, the mean that was used, and `flips`.

    A map that does not look at the image scores 1 if it is smooth and the same everywhere around its centre; the
    control `random`, pixel by pixel, scores about 0.76, since turning moves all but the centre. Pitfalls: turning
    interpolates, which lowers the correlation of maps that change from pixel to pixel; a high value says nothing of
    faithfulness.
    """

    seed: int = 0

    family: ClassVar = Family.ROBUSTNESS
    higher_is_better: ClassVar = True
    range: ClassVar = (-1.0, 1.0)
    source: ClassVar = "xaibench"
    chance: ClassVar = (
        "about 0.76 for pixel noise that ignores the image (turning moves most of it), 0 for maps drawn anew"
    )
    needs: ClassVar = frozenset({Need.SCORES, Need.EXPLAIN})
    ranked: ClassVar = "unchanged in another scan"

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Explain the copies and compare. Raises NotApplicable if every change flips the class."""
        rng = np.random.default_rng(seed_of(self.seed, case.id, "mri-stability"))
        found = list(differences(case.image, rng).items())
        changes = [difference.change for _, difference in found]
        copies = same_class(classifier, case, explanation.target, changes)
        maps = zip(copies.which, copies.strengths, explain(copies.images), strict=True)
        alike = {
            found[which][0]: _alike(explanation.heatmap, *found[which][1].undo(heatmap, float(strength)))
            for which, strength, heatmap in maps
        }
        details = {"strength": float(copies.strengths.mean()), "flips": float(copies.flips)}
        return Measurement(float(np.mean([*alike.values()])), alike | details)


def _alike(heatmap: Heatmap, changed: Heatmap, known: Region) -> float:
    return spearman(heatmap[known], changed[known])
