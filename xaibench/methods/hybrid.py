"""A fast map for sure cases, a thorough one for the others: the review's pipeline for urgent use."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Batch, Classifier, Detailed, Heatmap, Need
from xaibench.methods.grad_cam import GradCam
from xaibench.methods.shap import Shap


@dataclass(frozen=True)
class Hybrid:
    """Grad-CAM where the model is sure of the explained class, SHAP where it is not.

    Stage 1 is run for every case, stage 2 only below the threshold. The maps of the two stages have different units.
    """

    threshold: float = 0.9
    """Probability of the target below which a case goes to stage 2."""
    evaluations: int = 256
    """Budget of SHAP."""

    family: ClassVar = "hybrid"
    needs: ClassVar = frozenset({Need.FEATURE_GRADIENTS, Need.SCORES})
    source: ClassVar = "Selvaraju et al. 2017; Lundberg and Lee 2017"
    deterministic: ClassVar = False
    presets: ClassVar = {"smoke": {"evaluations": 64}, "paper": {"evaluations": 1000}}

    def __call__(self, classifier: Classifier, batch: Batch) -> Detailed:
        """Explain each image: maps >= 0 of stage 1, signed maps of stage 2.

        Recorded: `stage` (1 or 2), `confidence`, and the passes of each stage, there and back counted as two. Stage 1
        makes two forward passes and one back, stage 2 as many forward passes as it evaluates.
        """
        found = [self._explain(classifier, one) for one in singly(batch)]
        heatmaps, details = zip(*found, strict=True)
        return Detailed(np.stack(heatmaps), tuple(details))

    def _explain(self, classifier: Classifier, one: Batch) -> tuple[Heatmap, dict[str, float]]:
        started = _passes(classifier)
        heatmap = GradCam()(classifier, one)[0]
        confidence = float(classifier.remembered_scores(one.images[0])[one.targets[0]])
        stage_1 = _passes(classifier)
        unsure = confidence < self.threshold
        if unsure:
            heatmap = Shap(self.evaluations)(classifier, one)[0]
        details = {
            "stage": 2.0 if unsure else 1.0,
            "confidence": confidence,
            "stage_1_passes": float(stage_1 - started),
            "stage_2_passes": float(_passes(classifier) - stage_1),
        }
        return heatmap, details


def singly(batch: Batch) -> list[Batch]:
    """Batches of one image each."""
    rows = [slice(row, row + 1) for row in range(len(batch))]
    return [Batch(batch.images[row], batch.targets[row], batch.seeds[row]) for row in rows]


def _passes(classifier: Classifier) -> int:
    return classifier.passes.forward + classifier.passes.backward
