"""Maps of which the ladders are made: a true one damaged, or made without knowledge."""

import hashlib
from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter

from xaibench.api import Heatmap, Image
from xaibench.validation.nouns import Ladder, MakeMap, Question, Rung


def noise_of(image: Image, seed: int = 0) -> Heatmap:
    """Smooth noise that any change of the image or the seed draws anew; its largest absolute value is 1."""
    content = hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=4).digest()
    rng = np.random.default_rng([int.from_bytes(content, "big"), seed])
    shape = image.shape[:-1]
    noise = gaussian_filter(rng.normal(size=shape), min(shape) / 20)
    return np.asarray(noise / np.abs(noise).max(), np.float32)


def with_noise(heatmap: Heatmap, image: Image) -> Heatmap:
    """A map with noise over the whole image."""
    return np.asarray(heatmap + 0.6 * np.abs(heatmap).max() * noise_of(image), np.float32)


def displaced(heatmap: Heatmap) -> Heatmap:
    """A map at a place where it is not true: half the image away, around the torus."""
    height, width = heatmap.shape
    return np.roll(heatmap, (height // 2, width // 2), axis=(0, 1))


def half_displaced(heatmap: Heatmap) -> Heatmap:
    """Upper half of a map in its place, the lower half displaced."""
    middle = np.flatnonzero(heatmap.any(axis=1)).mean()
    upper = np.arange(len(heatmap))[:, None] <= middle
    return np.asarray(np.where(upper, heatmap, 0) + displaced(np.where(upper, 0, heatmap)), np.float32)


def linear_part(question: Question) -> Heatmap:
    """Gradient of the target's logit, times how far the image is from its mean.

    For a linear model it is what each pixel adds to the logit, compared with the image's mean: exact and complete.
    """
    image = question.scene.image
    return np.asarray((gradient_of(question) * (image - image.mean())).sum(axis=-1))


def gradient_of(question: Question) -> Image:
    """Gradient of the target's logit."""
    gradient: Image = question.classifier.input_gradients(question.scene.image, np.array(question.target))
    return gradient


def of_image(make: Callable[[Image], Heatmap]) -> MakeMap:
    """Map of the image alone, which asks no model."""
    return lambda question: make(question.scene.image)


NOISE = Rung("noise", of_image(noise_of))


def damaged(truth: Rung) -> Ladder:
    """Ladder of a map that is true, half displaced, under noise, wholly displaced, and of noise alone."""
    return Ladder(
        truth,
        (
            changed(truth, "half displaced", lambda heatmap, image: half_displaced(heatmap)),
            changed(truth, "in noise", with_noise),
        ),
        (changed(truth, "displaced", lambda heatmap, image: displaced(heatmap)), NOISE),
    )


def changed(truth: Rung, how: str, change: Callable[[Heatmap, Image], Heatmap]) -> Rung:
    """A rung whose maps are made from those of another, and the image."""
    return Rung(f"{truth.name}, {how}", lambda question: change(truth.make(question), question.scene.image))
