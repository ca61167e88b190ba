"""Cohorts drawn from a cohort: patients drawn again with replacement, or shuffled labels.

The patient is the unit: all slices of a patient are drawn, or given a label, together.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int

from xaibench.api import Case, ExplainCohort, Image, XaibenchError


@dataclass(frozen=True, eq=False)
class Draws:
    """Cohorts of one label; the same patients drawn twice are one cohort, so that nothing is computed twice."""

    cohorts: list[list[Case]]
    which: Int[np.ndarray, "draws"]
    """For each draw, its place in `cohorts`."""

    def images(self, label: int, explain: ExplainCohort) -> Iterator[Image]:
        """Simulated image of the label for each of the cohorts, one at a time: a thousand fill much memory."""
        return (explain(cohort)[label].image for cohort in self.cohorts)


def patients_of(cases: list[Case], label: int) -> list[str]:
    """Patients with the label, sorted."""
    return sorted({case.patient for case in cases if case.label == label})


def resampled(cases: list[Case], label: int, draws: int, seed: int) -> Draws:
    """As many patients of the label as there are, drawn with replacement; their cases are repeated with them."""
    slices = _by_patient([case for case in cases if case.label == label])
    rng = np.random.default_rng(seed)
    return _drawn(slices, rng.integers(len(slices), size=(draws, len(slices))))


def shuffled(cases: list[Case], label: int, draws: int, seed: int) -> Draws:
    """As many patients of the whole cohort as the label has, drawn without replacement and given that label."""
    slices = _by_patient([replace(case, labels=(label,)) for case in cases])
    in_order = np.tile(np.arange(len(slices)), (draws, 1))
    permuted = np.random.default_rng(seed).permuted(in_order, axis=1)
    return _drawn(slices, permuted[:, : len(patients_of(cases, label))])


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


def _drawn(slices: list[list[Case]], picks: Int[np.ndarray, "draws patients"]) -> Draws:
    places: dict[tuple[int, ...], int] = {}
    which = [places.setdefault(tuple(row), len(places)) for row in np.sort(picks, axis=1)]
    cohorts = [[case for patient in row for case in slices[patient]] for row in places]
    return Draws(cohorts, np.array(which))
