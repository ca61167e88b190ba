"""SmoothGrad as the package `tf-explain` computes it."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Batch, Classifier, Heatmap, Heatmaps, Image, Need
from xaibench.methods.global_draws import global_draws
from xaibench.methods.tf_explain_core import PACKAGE, sizes


@dataclass(frozen=True)
class TfExplainSmoothGrad:
    """The package's mean gradient over noisy copies, as sizes summed over the channels.

    Known faults of the package (0.3.1): it differentiates the cross-entropy and not the logit, so the two classes of
    a softmax have the same map up to its scale, which vanishes where the model is sure; its noise is in absolute
    intensities, here set from the image's range; it traces anew for every class.
    """

    samples: int = 50
    noise: float = 0.15
    """Standard deviation of the noise, as a fraction of the image's highest minus lowest intensity."""

    family: ClassVar = "gradient"
    needs: ClassVar = frozenset({Need.KERAS})
    source: ClassVar = PACKAGE
    deterministic: ClassVar = False
    presets: ClassVar = {"smoke": {"samples": 16}, "paper": {"samples": 50}}

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: maps >= 0 in log-probability per intensity. One pass there and back a sample."""
        return np.stack([self._explain(classifier, *single) for single in batch])

    def _explain(self, classifier: Classifier, image: Image, target: int, seed: int) -> Heatmap:
        from tf_explain.core.smoothgrad import SmoothGrad

        model = classifier.borrow_keras(forward=self.samples, backward=self.samples).probabilities
        with global_draws(seed):
            copies = SmoothGrad.generate_noisy_images(
                image[None], self.samples, self.noise * float(np.ptp(image))
            )
        means = SmoothGrad.get_averaged_gradients(copies, model, target, self.samples)
        heatmap: Heatmap = sizes(means)[0]
        return heatmap
