"""What hidden places show."""

from typing import Literal

import numpy as np

from xaibench.api import Image

Baseline = Literal["blur", "black"]
"""The image blurred, or its lowest intensity everywhere."""

WINDOW = 1 / 8
"""Side of the window that blurs, as a fraction of the image's height and width."""


def hidden(image: Image, baseline: Baseline) -> Image:
    """Image without its content."""
    return black(image) if baseline == "black" else blurred(image, WINDOW)


def black(image: Image) -> Image:
    """Lowest intensity of an image everywhere: black on any intensity scale."""
    return np.full_like(image, image.min())


def blurred(image: Image, fraction: float) -> Image:
    """Box-filter an image; the window's sides are a fraction of its height and of its width."""
    import cv2

    height, width = (max(1, round(side * fraction)) for side in image.shape[:2])
    smooth: np.ndarray = cv2.blur(image, (width, height)).reshape(image.shape)
    return smooth
