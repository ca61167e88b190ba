"""Which class of each case is explained; a case that is explained for several classes becomes several cases."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from xaibench.api import Case, XaibenchError, unknown
from xaibench.harness.cohort import Cohort

Scores = Mapping[str, np.ndarray]
"""Class probabilities of each case."""
RULES = ("predicted", "true", "finding", "all")
NEGATIVE = re.compile(r"(no|non|not|without|negative|normal|healthy|benign)\b", re.IGNORECASE)
"""How a class begins that says that there is no finding."""


def explained_classes(
    rule: str, cohort: Cohort, names: Sequence[str], exclusive: bool, scores: Scores
) -> dict[str, tuple[int, ...]]:
    """Classes that each case is explained for, by a rule or the name or number of a class; perhaps none.

    `predicted`: the most probable class. `true`: each class that the case is labelled with. `finding`: of classes
    that exclude each other, the most probable one but the negative one; of others, each class that the case is
    labelled with, or the most probable one where it has no label. `all`: every class of the model. `names` are those
    of the model's outputs. Raises XaibenchError for a class that the model does not have.
    """
    choose = _rule(rule, cohort, names, exclusive)
    chosen = {case.id: choose(case, scores[case.id]) for case in cohort.cases}
    known = len(next(iter(scores.values())))
    highest = max((number for classes in chosen.values() for number in classes), default=0)
    if highest >= known:
        raise XaibenchError(f"Class {highest} is asked for, but the model has classes 0 to {known - 1}.")
    if not any(chosen.values()):
        raise XaibenchError(f"--target {rule} asks for labels, but no case has one; give labels, or a class.")
    return chosen


def _rule(
    rule: str, cohort: Cohort, names: Sequence[str], exclusive: bool
) -> Callable[[Case, np.ndarray], tuple[int, ...]]:
    if rule == "predicted":
        return lambda case, scores: (int(scores.argmax()),)
    if rule == "true":
        return lambda case, scores: case.labels
    if rule == "all":
        return lambda case, scores: tuple(range(len(scores)))
    if rule == "finding" and exclusive:
        negative = negative_class(names or cohort.class_names)
        return lambda case, scores: (_most_probable_but(negative, scores),)
    if rule == "finding":
        return lambda case, scores: case.labels or (int(scores.argmax()),)
    number = class_number(rule, cohort, names)
    return lambda case, scores: (number,)


def negative_class(names: Sequence[str]) -> int:
    """Class that says that there is no finding: the only one that is called so, else the first."""
    called = [number for number, name in enumerate(names) if NEGATIVE.match(name)]
    return called[0] if len(called) == 1 else 0


def class_number(text: str, cohort: Cohort, names: Sequence[str] = ()) -> int:
    """Class of a number or a name, of the model's outputs first. Raises XaibenchError for an unknown one."""
    if text.isdecimal():
        return int(text)
    for known in (names, cohort.class_names):
        if text in known:
            return known.index(text)
    raise XaibenchError(unknown("class", text, [*RULES, *dict.fromkeys([*names, *cohort.class_names])]))


def _most_probable_but(negative: int, scores: np.ndarray) -> int:
    others = [number for number in range(len(scores)) if number != negative]
    return max(others, key=lambda number: float(scores[number]))


# ---------------------------------------------------------------- a case for each class


def one_case_a_class(
    cohort: Cohort, chosen: Mapping[str, Sequence[int]]
) -> tuple[Cohort, dict[str, int], dict[str, str]]:
    """Cohort with a case for each class that one is explained for, the class of each, and what each is a copy of.

    A case that is explained for one class keeps its name; else the class's number stands behind it: P001-s02-c0. What
    is explained for no class is left out, and that is noted.
    """
    cases: list[Case] = []
    targets: dict[str, int] = {}
    copies: dict[str, str] = {}
    for case in cohort.cases:
        for number in chosen[case.id]:
            several = len(chosen[case.id]) > 1
            name = f"{case.id}-c{number}" if several else case.id
            cases.append(replace(case, id=name))
            targets[name] = number
            copies |= {name: case.id} if several else {}
    return replace(cohort, cases=cases, notes=[*cohort.notes, *_told(chosen)]), targets, copies


def _told(chosen: Mapping[str, Sequence[int]]) -> list[str]:
    none, several = (
        sum(not classes for classes in chosen.values()),
        sum(len(classes) > 1 for classes in chosen.values()),
    )
    notes = [f"{none} of {len(chosen)} cases have no label to explain; they are left out."] if none else []
    if several:
        text = "are explained for several classes: each of these counts as a case of its own, -c0 for class 0"
        notes.append(f"{several} of {len(chosen)} cases {text}.")
    return notes
