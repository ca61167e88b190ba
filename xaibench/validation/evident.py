"""Images that hold evidence to remove."""

import numpy as np

from xaibench.api import Classifier, Image
from xaibench.metrics.common.baselines import FIXED
from xaibench.validation.nouns import TARGET

SURE = 0.6
UNSURE = 0.4
"""Probabilities that the class must have with its evidence, and must not have without."""


def shows_evidence(classifier: Classifier, image: Image) -> bool:
    """Whether the model gives an image the explained class, and neither its blurred copy nor its mean.

    Otherwise no map could be told from another by what is lost with its pixels.
    """
    images = np.stack([image, FIXED["blur"](image), FIXED["mean"](image)])
    whole, *emptied = classifier.scores(images)[:, TARGET]
    return bool(whole >= SURE and max(emptied) <= UNSURE)
