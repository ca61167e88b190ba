"""Groups of cases that are scored beside the whole cohort."""

import itertools
from typing import NamedTuple

import numpy as np

from xaibench.api import Family
from xaibench.harness.store.run_info import CaseInfo, RunInfo

BY_CLASS = {Family.FAITHFULNESS, Family.COLOCALISATION}
"""Families whose figures may differ by the explained class."""
SIZES = ("small region", "medium region", "large region")


class Group(NamedTuple):
    """Which cases a score rests on: those of an explained class, and of those a subset."""

    explained: str = ""
    """Name of the explained class; empty = all."""
    subset: str = ""
    """What else the cases have in common; empty = all."""


ALL = Group()


def class_name(info: RunInfo, label: int) -> str:
    """Name a class, as the cohort does or, where it has no such label, as the model does."""
    for names in (info.cohort.class_names, info.model.class_names):
        if 0 <= label < len(names):
            return names[label]
    return f"class {label}"


def groups_of(info: RunInfo, family: str) -> dict[Group, frozenset[str]]:
    """Case names by group: all, then what the family of a metric is split by; empty groups are left out."""
    cases = info.cohort.cases
    found = {ALL: cases}
    if family in BY_CLASS:
        found |= {
            Group(explained=class_name(info, target)): tuple(case for case in cases if case.target == target)
            for target in sorted({case.target for case in cases})
        }
    if family == Family.COLOCALISATION:
        found[Group(subset="model right")] = tuple(filter(is_right, cases))
        found[Group(subset="model wrong")] = tuple(itertools.filterfalse(is_right, cases))
        found |= _by_size(cases)
    return {group: frozenset(case.id for case in members) for group, members in found.items() if members}


def is_right(case: CaseInfo) -> bool:
    """Whether the predicted class is a true one."""
    return case.predicted in case.labels


def _by_size(cases: tuple[CaseInfo, ...]) -> dict[Group, tuple[CaseInfo, ...]]:
    """Thirds of the annotated cases by the number of pixels annotated; equal sizes stay together."""
    annotated = [case for case in cases if case.region_pixels]
    sizes = np.array([case.region_pixels for case in annotated], dtype=np.float64)
    if len(set(sizes.tolist())) < len(SIZES):
        return {}
    third = np.searchsorted(np.quantile(sizes, [1 / 3, 2 / 3]), sizes)
    return {
        Group(subset=name): tuple(case for case, t in zip(annotated, third, strict=True) if t == number)
        for number, name in enumerate(SIZES)
    }
