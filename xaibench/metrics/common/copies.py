"""Changed copies of an image that the model still gives the same class.

A copy whose predicted class flips says nothing about the explainer: its map has to change.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from xaibench.api import Case, Classifier, Image, Images, NotApplicable, XaibenchError, seed_of
from xaibench.metrics.common.intensity import robust_range

HALVINGS = 5
"""A change that still flips the class at 1/32 of its strength is left out."""
Change = Callable[[float], Image]
"""Gives the changed image at a strength of 0 (unchanged) .. 1."""


@dataclass(frozen=True, eq=False)
class Copies:
    """Changed copies of an image."""

    images: Images
    which: tuple[int, ...]
    """For each copy, which of the changes it shows."""
    strengths: Float[np.ndarray, "n"]
    """For each copy, the strength of its change, 1/32 .. 1."""
    flips: int
    """Number of changes that flipped the class at full strength."""


def same_class(classifier: Classifier, case: Case, target: int, changes: Sequence[Change]) -> Copies:
    """Apply each change, at half the strength again and again until the predicted class stays.

    Raises NotApplicable where none is left. Copies are the same for every method, so their scores are remembered.
    """
    decision = _decision(classifier, case.image, target)
    found = {}
    for index, change in enumerate(changes):
        for strength in 0.5 ** np.arange(HALVINGS + 1):
            image = change(float(strength))
            if _decision(classifier, image, target) == decision:
                found[index] = image, float(strength)
                break
    if not found:
        raise NotApplicable(
            "the predicted class changes with every change of the image, even at 1/32 of its strength"
        )
    images, strengths = zip(*found.values(), strict=True)
    flips = len(changes) - sum(strength == 1 for strength in strengths)
    return Copies(np.stack(images), tuple(found), np.array(strengths), flips)


def noisy(
    classifier: Classifier, case: Case, target: int, draws: int, sigma: float, seed: int
) -> tuple[Copies, dict[str, float]]:
    """Copies with Gaussian noise of `sigma` times the image's own robust range, and what is recorded of them."""
    rng = np.random.default_rng(seed_of(seed, case.id, "noise"))
    noise = rng.standard_normal((draws, *case.image.shape), dtype=np.float32)
    copies = same_class(classifier, case, target, added(case.image, sigma * noise))
    return copies, {"sigma": float(sigma * copies.strengths.mean()), "flips": float(copies.flips)}


def in_ball(
    classifier: Classifier, case: Case, target: int, draws: int, radius: float, seed: int
) -> tuple[Copies, dict[str, float]]:
    """Copies with uniform noise within `radius` times the image's own robust range, and what is recorded of them."""
    rng = np.random.default_rng(seed_of(seed, case.id, "ball"))
    noise = rng.uniform(-radius, radius, (draws, *case.image.shape))
    copies = same_class(classifier, case, target, added(case.image, noise))
    return copies, {"radius": float(radius * copies.strengths.mean()), "flips": float(copies.flips)}


def added(image: Image, patterns: np.ndarray) -> list[Change]:
    """Changes that add each pattern, in units of the image's own robust range. Raises NotApplicable where that is 0."""
    span = robust_range(image)
    if span == 0:
        raise NotApplicable(
            "the image has no range of intensities (1st to 99th percentile) to scale noise by"
        )

    def change(pattern: np.ndarray) -> Change:
        return lambda strength: (image + strength * span * pattern).astype(np.float32)

    return [change(pattern) for pattern in patterns]


def require_draws(metric: str, draws: int) -> None:
    """Raise XaibenchError where there is nothing to average over."""
    if draws < 1:
        raise XaibenchError(f"{metric} cannot average over {draws} draws; give 1 or more.")


def _decision(classifier: Classifier, image: Image, target: int) -> int:
    """Predicted class, or for classes on their own whether the explained one is given."""
    scores = classifier.remembered_scores(image)
    return int(scores.argmax()) if classifier.exclusive else int(scores[target] >= 0.5)
