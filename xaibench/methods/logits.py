"""Logits of the explained classes."""

import numpy as np
from jaxtyping import Float32

from xaibench.api import Classifier, Images, Targets


def target_logits(classifier: Classifier, images: Images, targets: Targets) -> Float32[np.ndarray, "n"]:
    """Logit of each image for its own target."""
    return np.take_along_axis(classifier.logits(images), targets[:, None], axis=1)[:, 0]
