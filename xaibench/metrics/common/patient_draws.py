"""Cohorts drawn from a cohort: the patients themselves, patients drawn again, or shuffled labels.

The patient is the unit: all slices of a patient are drawn, or given a label, together. Each classifier's patients are a
cohort of their own, so that no image is shown to a model that saw a patient it was made from.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from xaibench.api import Case, ExplainCohort, Folds, Image, XaibenchError

Picked = list[tuple[int, ...]]
"""For each classifier, its picked patients: their places in a list, as often as picked, in ascending order."""


@dataclass(frozen=True, eq=False)
class Draws:
    """Draws of patients of one label; equal cohorts are kept once, so that nothing is computed twice."""

    cohorts: list[list[Case]]
    """Cases of the patients of one classifier."""
    classifier_of: list[int]
    """Classifier of each cohort: the one that never saw its patients."""
    which: Int[np.ndarray, "draws classifiers"]
    """For each draw and classifier, the place in `cohorts`; any where it has no patient."""
    shares: Float[np.ndarray, "draws classifiers"]
    """Share of the draw's patients that each classifier has; each row sums to 1."""

    def images(self, label: int, explain: ExplainCohort) -> Iterator[Image]:
        """Simulated image of the label for each of the cohorts, one at a time: a thousand fill much memory."""
        return (explain(cohort)[label].image for cohort in self.cohorts)


def patients_of(cases: list[Case], label: int) -> list[str]:
    """Patients with the label, sorted."""
    return sorted({case.patient for case in cases if case.label == label})


def as_they_are(cases: list[Case], label: int, folds: Folds) -> Draws:
    """Return the patients of the label, as a single draw."""
    slices = _by_patient([case for case in cases if case.label == label])
    return _drawn(slices, folds, np.arange(len(slices))[None])


def resampled(cases: list[Case], label: int, folds: Folds, draws: int, seed: int) -> Draws:
    """As many patients of the label as there are, drawn with replacement; their cases are repeated with them."""
    slices = _by_patient([case for case in cases if case.label == label])
    picks = np.random.default_rng(seed).integers(len(slices), size=(draws, len(slices)))
    return _drawn(slices, folds, picks)


def shuffled(cases: list[Case], label: int, folds: Folds, draws: int, seed: int) -> Draws:
    """As many patients of each classifier as have the label, whichever label they have, and given that one.

    Shuffling among the patients of a classifier keeps the number of each class that it was tested and trained on.
    """
    slices = _by_patient(cases)
    members = [
        np.flatnonzero([folds.of[one[0].patient] == f for one in slices])
        for f in range(len(folds.classifiers))
    ]
    sizes = [sum(slices[place][0].label == label for place in group) for group in members]
    rng = np.random.default_rng(seed)
    picks = [
        rng.permuted(np.tile(group, (draws, 1)), axis=1)[:, :size]
        for group, size in zip(members, sizes, strict=True)
    ]
    given = [[replace(case, labels=(label,)) for case in one] for one in slices]
    return _drawn(given, folds, np.concatenate(picks, axis=1))


def can_be_shuffled(cases: list[Case], label: int, folds: Folds) -> bool:
    """Tell whether some classifier has patients of the label and others."""
    own, others = (
        {folds.of[case.patient] for case in cases if (case.label == label) is wanted}
        for wanted in (True, False)
    )
    return bool(own & others)


def require_draws(metric: str, draws: int) -> None:
    """Raise XaibenchError where there is nothing to average over."""
    if draws < 1:
        raise XaibenchError(f"{metric} cannot average over {draws} draws; give 1 or more.")


def _by_patient(cases: list[Case]) -> list[list[Case]]:
    """Cases of each patient, in an order that does not depend on the order of the cases."""
    slices: dict[str, list[Case]] = {}
    for case in sorted(cases, key=lambda case: (case.patient, case.id)):
        slices.setdefault(case.patient, []).append(case)
    return list(slices.values())


def _drawn(slices: list[list[Case]], folds: Folds, picks: Int[np.ndarray, "draws patients"]) -> Draws:
    fold = np.array([folds.of[one[0].patient] for one in slices])
    places: dict[tuple[int, tuple[int, ...]], int] = {}
    which, shares = (np.zeros((len(picks), len(folds.classifiers)), kind) for kind in (int, float))
    for draw, row in enumerate(np.sort(picks, axis=1)):
        for classifier in np.unique(fold[row]):
            own = row[fold[row] == classifier]
            which[draw, classifier] = places.setdefault((int(classifier), tuple(own)), len(places))
            shares[draw, classifier] = len(own) / len(row)
    cohorts = [[case for patient in own for case in slices[patient]] for _, own in places]
    return Draws(cohorts, [classifier for classifier, _ in places], which, shares)
