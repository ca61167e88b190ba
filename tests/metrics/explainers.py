"""Explainers whose maps follow from their arguments by hand; they note what they were asked."""

from collections.abc import Callable

import numpy as np


class Again:
    """Explains each image by a function of the image alone, or of what else is given."""

    def __init__(self, image: np.ndarray, function: Callable[..., np.ndarray]) -> None:
        self.image, self.function = image, function
        self.calls: list[dict[str, object]] = []

    def __call__(
        self,
        images: np.ndarray | None = None,
        *,
        targets: np.ndarray | None = None,
        seeds: np.ndarray | None = None,
        classifier: object = None,
    ) -> np.ndarray:
        asked = {"images": images, "targets": targets, "seeds": seeds, "classifier": classifier}
        given = {name: value for name, value in asked.items() if value is not None and name != "images"}
        self.calls.append(asked)
        images = self.image[None] if images is None else images
        return np.stack([self.function(image, **given) for image in images]).astype(np.float32)

    @property
    def map(self) -> np.ndarray:
        """Map of the unchanged image."""
        return self.function(self.image).astype(np.float32)


def brightness(image: np.ndarray, **_: object) -> np.ndarray:
    return image.mean(axis=-1)


def fixed(image: np.ndarray, **_: object) -> np.ndarray:
    """Ignores the image, the class, the seed and the model."""
    return np.random.default_rng(7).normal(size=image.shape[:-1])
