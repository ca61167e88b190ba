"""Kernel SHAP over superpixels (Lundberg and Lee 2017, arXiv:1705.07874), by the package `shap`."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float32, Float64

from xaibench.api import Batch, Classifier, Heatmap, Heatmaps, Image, Need, XaibenchError
from xaibench.methods.global_draws import global_draws
from xaibench.methods.hiding import Baseline, hidden
from xaibench.methods.superpixels import RegionMasks, Segments, spread, superpixels


@dataclass(frozen=True)
class ShapKernel:
    """Shapley values of superpixels, estimated by `shap.KernelExplainer` from weighted coalitions (eq. 8).

    Hidden superpixels show the baseline. The regression takes no selection of features, which the package does by
    default and which loses the sum. The value of a superpixel is spread evenly over its pixels.
    """

    samples: int = 256
    """Coalitions, whatever the number of superpixels; at least twice as many as these."""
    segments: int = 50
    """About how many superpixels."""
    baseline: Baseline = "blur"

    family: ClassVar = "perturbation"
    needs: ClassVar = frozenset({Need.SCORES})
    source: ClassVar = "Lundberg and Lee 2017"
    deterministic: ClassVar = False
    presets: ClassVar = {
        "smoke": {"samples": 98, "segments": 24},
        "paper": {"samples": 2148},  # the package's own 2 x 50 + 2048
    }

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: signed maps that sum to probability(image) - probability(baseline).

        One forward pass a sample, and two.
        """
        return np.stack([self._explain(classifier, *single) for single in batch])

    def promised_total(self, classifier: Classifier, batch: Batch) -> Float32[np.ndarray, "n"]:
        """Probability of the target for the image minus that for its baseline (property 1, local accuracy)."""
        baselines = np.stack([hidden(image, self.baseline) for image in batch.images])
        gains: np.ndarray = classifier.scores(batch.images) - classifier.scores(baselines)
        return np.take_along_axis(gains, batch.targets[:, None], axis=1)[:, 0]

    def _explain(self, classifier: Classifier, image: Image, target: int, seed: int) -> Heatmap:
        segments = superpixels(image, self.segments)
        return spread(self.values(classifier, image, target, seed, segments), segments)

    def values(
        self, classifier: Classifier, image: Image, target: int, seed: int, segments: Segments
    ) -> Float64[np.ndarray, "segments"]:
        """Shapley value of each superpixel. Raises XaibenchError for fewer samples than can tell them apart."""
        from shap import KernelExplainer  # slow to import

        count = int(segments.max()) + 1
        if self.samples < 2 * count:
            raise XaibenchError(
                f"shap-kernel cannot tell {count} superpixels apart by {self.samples} samples; "
                f"give at least {2 * count}, or fewer segments."
            )
        baseline = hidden(image, self.baseline)

        def probability(kept: np.ndarray) -> np.ndarray:
            return classifier.masked_scores(image, RegionMasks(kept, segments), baseline)[:, target]

        with global_draws(seed):
            explainer = KernelExplainer(probability, np.zeros((1, count)))
            found = explainer.shap_values(np.ones(count), nsamples=self.samples, l1_reg=False, silent=True)
        values: np.ndarray = np.asarray(found, float)
        return values
