"""Training images that an image is compared with."""

import numpy as np

from xaibench.api import Background, Images


def drawn_references(background: Background, count: int, seed: int) -> Images:
    """Training images, drawn without replacement, each as likely; all if there are no more than `count`."""
    drawn = min(count, len(background.images))
    rows = np.random.default_rng(seed).choice(len(background.images), drawn, replace=False)
    references: Images = background.images[rows]
    return references
