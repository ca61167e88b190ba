"""What a reader is told of the images' pixels, and where they are hardly what the model was trained on."""

from collections.abc import Mapping, Sequence

import numpy as np

from xaibench.api import Case, LoadedModel, Preprocessing
from xaibench.harness.cohort import Cohort
from xaibench.harness.preprocessing import in_words

OPTIONS = "--scale, --mean and --std, or --preprocessing."
FEWEST_JUDGED = 8
"""Cases from which on a model that is right no more often than by chance is worth a word."""
OUTSIDE, FILLED = 0.01, 0.1
"""Shares of the declared range: how far pixels may lie outside it, and how much of it they fill at least."""


def range_notes(
    cases: Sequence[Case], declared: Preprocessing | None, expected: tuple[float, float]
) -> list[str]:
    """Say which values the pixels have and what the model is given, and where they do not fit the declared range."""
    low, high = extremes([case.image for case in cases])
    if declared is None:
        return [f"The pixels of the images run from {low:.4g} to {high:.4g}; the model is given them so."]
    given = extremes([declared(case.image) for case in cases])
    note = (
        f"The pixels of the images run from {low:.4g} to {high:.4g}; the model is given {given[0]:.4g} to "
        f"{given[1]:.4g}: {in_words(declared)}."
    )
    return [note, *_misfit((low, high), expected)]


def extremes(images: Sequence[np.ndarray]) -> tuple[float, float]:
    """Lowest and highest pixel of images."""
    return min(float(image.min()) for image in images), max(float(image.max()) for image in images)


def _misfit(found: tuple[float, float], expected: tuple[float, float]) -> list[str]:
    width = expected[1] - expected[0]
    outside = max(expected[0] - found[0], found[1] - expected[1]) > OUTSIDE * width
    if not outside and found[1] - found[0] >= FILLED * width:
        return []
    what = "lie outside" if outside else "fill less than a tenth of"
    return [
        f"The pixels {what} the range of {expected[0]:g} to {expected[1]:g} that is scaled; give theirs with "
        f"--image-range LOW:HIGH, or bring them to 0 to 1 with --intensity unit."
    ]


def chance_notes(
    cohort: Cohort, model: LoadedModel, scores: Mapping[str, np.ndarray], declared: Preprocessing | None
) -> list[str]:
    """Say where a model is right no more often than by always naming one class, so that its images may be others.

    `scores` are the class probabilities of each case. Nothing is said where the intensities that it was trained on
    are known, or its classes do not exclude each other.
    """
    if model.intensity is not None or not model.classifiers[0].exclusive:
        return []
    judged = [case for case in cohort.cases if len(case.labels) == 1]
    right = sum(int(scores[case.id].argmax()) == case.label for case in judged)
    counts = np.bincount([case.label for case in judged], minlength=1)
    if len(judged) < FEWEST_JUDGED or np.count_nonzero(counts) < 2 or right > counts.max():
        return []
    ask = (
        "Look at the preprocessing again."
        if declared
        else "If it was trained on scaled images, say how: " + OPTIONS
    )
    return [
        f"The model is right in {right} of {len(judged)} cases, no more than by always naming one class. {ask}"
    ]
