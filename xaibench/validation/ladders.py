"""Explainers whose order is known, from the truth over approximations down to no knowledge, by family of metrics."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, sobel

from xaibench.api import Batch, Classifier, Family, Heatmap, Heatmaps, Image
from xaibench.validation.worlds import BOX, evidence

MakeMap = Callable[[Classifier, Image, int], Heatmap]


@dataclass(frozen=True)
class Rung:
    """An explainer of a ladder."""

    name: str
    make: MakeMap

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image alone."""
        maps = [self.make(classifier, image, target) for image, target, _ in batch]
        return np.stack(maps).astype(np.float32)


@dataclass(frozen=True)
class Ladder:
    """Explainers in order: the first must score best, the last worst."""

    truth: Rung
    between: tuple[Rung, ...]
    ignorance: tuple[Rung, ...]


def noise_of(image: Image) -> Heatmap:
    """Smooth noise that any change of the image draws anew."""
    seed = int.from_bytes(
        hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=4).digest(), "big"
    )
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=image.shape[:-1]), 2)
    return np.asarray(noise / np.abs(noise).max(), np.float32)


def blurred(image: Image) -> Heatmap:
    """Evidence, spread over its neighbourhood."""
    return np.asarray(gaussian_filter(evidence(image), BOX / 2))


def noisy(image: Image) -> Heatmap:
    """Evidence with noise over the whole image."""
    truth = evidence(image)
    return np.asarray(truth + 0.6 * truth.max() * noise_of(image))


def half(image: Image) -> Heatmap:
    """Upper half of the evidence in its place, the lower half where it is not."""
    truth, elsewhere = evidence(image), displaced(image)
    rows = np.flatnonzero(truth.any(axis=1))
    kept = np.arange(len(truth))[:, None] <= rows.mean()
    return np.asarray(
        np.where(kept, truth, 0) + np.where(np.roll(~kept, len(truth) // 2, axis=0), elsewhere, 0)
    )


def displaced(image: Image) -> Heatmap:
    """Evidence at a place where it is not: half the image away, around the torus."""
    height, width = image.shape[:-1]
    return np.roll(evidence(image), (height // 2, width // 2), axis=(0, 1))


def steady(image: Image) -> Heatmap:
    """Means of all squares: follows the image without a jump."""
    return np.asarray(gaussian_filter(image[..., 0], BOX / 4))


def gradient_times_image(classifier: Classifier, image: Image, target: int) -> Heatmap:
    """Linear part of the model's own answer."""
    gradient = classifier.input_gradients(image, np.array(target))
    return np.asarray((gradient * image).sum(axis=-1))


def edges(image: Image) -> Heatmap:
    """Sobel magnitude: looks like an explanation, and asks no model."""
    return np.asarray(np.hypot(sobel(image[..., 0], 0), sobel(image[..., 0], 1)))


def blind(make: Callable[[Image], Heatmap]) -> MakeMap:
    """Map of the image alone."""
    return lambda classifier, image, target: make(image)


PLACES = Ladder(
    Rung("evidence", blind(evidence)),
    (Rung("half of the evidence", blind(half)), Rung("evidence in noise", blind(noisy))),
    (Rung("evidence, displaced", blind(displaced)), Rung("noise", blind(noise_of))),
)
"""Maps that differ in whether they lie where the evidence is."""
STEADINESS = Ladder(
    Rung("smooth in the image", blind(steady)),
    (Rung("smooth, with noise", blind(lambda image: steady(image) + 0.3 * noise_of(image))),),
    (Rung("noise of the image", blind(noise_of)),),
)
"""Maps that differ in how much they change with the image."""
ATTENTION_TO_THE_MODEL = Ladder(
    Rung("gradient x image", gradient_times_image),
    (),
    (Rung("edges", blind(edges)),),
)
"""Maps that differ in whether they hang on the model."""
CONCENTRATION = Ladder(
    Rung("evidence", blind(evidence)),
    (Rung("evidence, blurred", blind(blurred)),),
    (Rung("constant", blind(lambda image: np.ones(image.shape[:-1], np.float32))),),
)
"""Maps that differ in how few pixels hold them."""
LADDERS: Mapping[str, Ladder] = {
    Family.FAITHFULNESS: PLACES,
    Family.COLOCALISATION: PLACES,
    Family.ROBUSTNESS: STEADINESS,
    Family.RANDOMISATION: ATTENTION_TO_THE_MODEL,
    Family.COMPLEXITY: CONCENTRATION,
}
"""By family of metrics; figures of cost and of cohorts are measured and not judged."""
