"""How good a model is whose classes do not exclude each other: what it finds of what the patients have."""

import numpy as np

from xaibench.harness.store.run_info import RunInfo
from xaibench.reports.scoring.groups import class_name
from xaibench.reports.text import plural
from xaibench.reports.verdicts.verdict import Verdict

FOUND = 0.5
"""Probability from which on a class counts as found."""


def findings(info: RunInfo) -> Verdict:
    """Count labels that the model finds, and classes that it finds where the patient has no such label."""
    has, found = has_and_found(info)
    by_class = tuple(
        _of_class(class_name(info, int(number)), has[:, number], found[:, number])
        for number in np.flatnonzero(has.any(axis=0))
    )
    right, wrong = int((has & found).sum()), int((~has & found).sum())
    text = (
        f"The model finds {right} of the {plural(int(has.sum()), 'label')} that the patients have, with a probability "
        f"of at least {FOUND:.0%}, and {wrong} of the {int((~has).sum())} that they do not have"
    )
    poor = right * (~has).sum() <= wrong * has.sum()
    after = ": no more often where it is there, so what explains it may explain guesses" if poor else ""
    return Verdict(f"{text}{after}.", "", by_class, warns=bool(poor), patients=len(has))


def _of_class(name: str, has: np.ndarray, found: np.ndarray) -> str:
    right = f"{(has & found).sum()} of {plural(int(has.sum()), 'patient')} with it"
    return f"{name}: found in {right}, and in {(~has & found).sum()} of {(~has).sum()} others"


def has_and_found(info: RunInfo) -> tuple[np.ndarray, np.ndarray]:
    """Whether each patient has each class, and whether the mean probability of their cases says so: `[patients k]`."""
    has, found = [], []
    for patient in info.cohort.patients:
        cases = [case for case in info.cohort.cases if case.patient == patient]
        labels = {label for case in cases for label in case.labels}
        scores = np.mean([case.scores for case in cases], axis=0)
        has.append([number in labels for number in range(len(scores))])
        found.append(scores >= FOUND)
    return np.array(has), np.array(found)
