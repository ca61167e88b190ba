"""Models that take one number of images at a time."""

import numpy as np


def filled_up(images: np.ndarray, size: int | None) -> np.ndarray:
    """A batch with its last image repeated until there are `size` of them; as it is where any number will do."""
    missing = (size or len(images)) - len(images)
    return np.concatenate([images, np.repeat(images[-1:], missing, axis=0)]) if missing else images
