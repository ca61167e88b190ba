"""What deletion and insertion share: the model's answers to partly removed images, and the area under them."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from xaibench.api import (
    Case,
    Classifier,
    Explanation,
    Image,
    Measurement,
    Regions,
    XaibenchError,
    seed_of,
)
from xaibench.metrics.common import baselines, noisy_linear

NOISY_LINEAR = "noisy-linear"
KNOWN = (*baselines.FIXED, NOISY_LINEAR)
COINCIDE = 0.05
"""Ends of a curve that differ by less than this probability are too close to rescale it by."""


class Removal(NamedTuple):
    """How pixels are taken away from a case's image."""

    baseline: str
    """Name of what replaces them: blur, mean, black or noisy-linear."""
    steps: int
    """Number of equal shares of the pixels, removed one after the other."""
    seed: int
    """Seed of the run."""


class Answers(NamedTuple):
    """Probability of the explained class, 0 .. 1."""

    whole: float
    """For the image as it is."""
    partial: Float[np.ndarray, "m"]
    """For the image with some pixels kept, a value a set of pixels."""
    empty: float
    """For the image with every pixel replaced."""


def check(removal: Removal) -> None:
    """Raise XaibenchError for a baseline that does not exist, or too few steps to make a curve."""
    if removal.baseline not in KNOWN:
        raise XaibenchError(
            f"There is no baseline {removal.baseline!r} for a curve metric; choose one of {', '.join(KNOWN)}."
        )
    if removal.steps < 2:
        raise XaibenchError(f"A curve of {removal.steps} steps has no inner point; give 2 steps or more.")


def inner_counts(pixels: int, steps: int) -> Int[np.ndarray, "m 1 1"]:
    """Number of pixels changed at steps 1 .. steps - 1: round(i * pixels / steps)."""
    shares = np.arange(1, steps) / steps
    return np.rint(shares * pixels).astype(np.int64)[:, None, None]


def ask(
    classifier: Classifier, case: Case, explanation: Explanation, kept: Regions, removal: Removal
) -> Answers:
    """Ask for the probability of the explained class with each set of pixels kept, with all and with none.

    The two ends are the same for all heatmaps, so they are remembered; the rest is one call to the model.
    """
    if kept.shape[1:] != case.image.shape[:2]:
        raise ValueError(
            f"case {case.id}: the heatmap is {kept.shape[1:]} but the image is {case.image.shape[:2]}"
        )
    answer = _ask_imputed if removal.baseline == NOISY_LINEAR else _ask_masked
    partial, replaced = answer(classifier, case, kept, removal)
    whole, empty = (classifier.remembered_scores(image) for image in (case.image, replaced))
    target = explanation.target
    return Answers(float(whole[target]), partial[:, target].astype(np.float64), float(empty[target]))


def area(start: float, inner: Float[np.ndarray, "m"], end: float) -> float:
    """Area under a curve of equally spaced points over [0, 1], by the trapezoidal rule."""
    return float(((start + end) / 2 + inner.sum()) / (len(inner) + 1))


def measured(value: float, answers: Answers, tied_share: float) -> Measurement:
    """Record the area; beside it, the area of the curve rescaled to 1 for the whole and 0 for the empty image.

    Where both ends (all but) coincide, `normalised` is left out: divided by a difference of 0.01, as occurs
    where the baseline itself shows the class, an ordinary area becomes a figure like 64.
    """
    details = {"tied_share": tied_share}
    height = answers.whole - answers.empty
    if abs(height) >= COINCIDE:
        details["normalised"] = (value - answers.empty) / height
    return Measurement(value, details)


def _ask_masked(
    classifier: Classifier, case: Case, kept: Regions, removal: Removal
) -> tuple[np.ndarray, Image]:
    replaced = baselines.FIXED[removal.baseline](case.image)
    return classifier.masked_scores(case.image, kept, replaced), replaced


def _ask_imputed(
    classifier: Classifier, case: Case, kept: Regions, removal: Removal
) -> tuple[np.ndarray, Image]:
    seed = seed_of(removal.seed, case.id, NOISY_LINEAR)
    noise = noisy_linear.draw_noise(case.image, seed)
    nothing = np.zeros((1, *case.image.shape[:2]), bool)
    *partial, replaced = noisy_linear.fill_each(case.image, np.concatenate([kept, nothing]), noise)
    return classifier.scores(np.stack(partial)), replaced
