"""How the regions that readers drew overlap with the annotation, with each other, and with the maps."""

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from xaibench.api import Case, Heatmap, Region
from xaibench.reports.readers.answers import Drawing
from xaibench.reports.readers.drawn import dice, mask_of, mass_inside
from xaibench.reports.readers.results import Figure, Overlap
from xaibench.reports.scoring.intervals import estimate, patient_means

DICE = "Dice coefficient"
MASS = "share of the positive relevance inside what was drawn"
AREA = "share of the image that was drawn"
Pairs = list[tuple[str, float]]
"""Patients and values."""
Heatmaps = Callable[[str, str], Heatmap | None]
"""Map of a method and a case, or None."""


def overlaps(
    drawings: Sequence[Drawing], cases: Mapping[str, Case], methods: Sequence[str], heatmap: Heatmaps
) -> tuple[Overlap, ...]:
    """Overlaps over patients; a method is judged by the drawings that mark something."""
    masks = {(one.reader, one.case): mask_of(one.drawn, cases[one.case].image.shape[:2]) for one in drawings}
    marked = {key: mask for key, mask in masks.items() if mask.any()}
    found = [
        _overlap("the annotation", DICE, _with_annotation(masks, cases)),
        _overlap("other readers", DICE, _between_readers(masks, cases)),
        *(_overlap(method, MASS, _with_maps(marked, cases, method, heatmap)) for method in methods),
        _overlap("a map without knowledge", AREA, _areas(marked, cases)),
    ]
    return tuple(one for one in found if one.overlap.patients)


def _overlap(what: str, measure: str, pairs: Pairs) -> Overlap:
    return Overlap(
        what=what, measure=measure, overlap=Figure.of(estimate(patient_means(pairs), "mean", (0.0, 1.0)))
    )


Masks = Mapping[tuple[str, str], Region]
"""What was drawn, by reader and case."""


def _with_annotation(masks: Masks, cases: Mapping[str, Case]) -> Pairs:
    return [
        (cases[case].patient, dice(mask, region))
        for (_, case), mask in masks.items()
        if (region := cases[case].region) is not None
    ]


def _between_readers(masks: Masks, cases: Mapping[str, Case]) -> Pairs:
    by_case: dict[str, list[Region]] = {}
    for (_, case), mask in masks.items():
        by_case.setdefault(case, []).append(mask)
    return [
        (cases[case].patient, float(np.mean([dice(*pair) for pair in itertools.combinations(drawn, 2)])))
        for case, drawn in by_case.items()
        if len(drawn) > 1
    ]


def _with_maps(masks: Masks, cases: Mapping[str, Case], method: str, heatmap: Heatmaps) -> Pairs:
    maps = {case: heatmap(method, case) for case in {case for _, case in masks}}
    return [
        (cases[case].patient, share)
        for (_, case), mask in masks.items()
        if (found := maps[case]) is not None and (share := mass_inside(found, mask)) is not None
    ]


def _areas(masks: Masks, cases: Mapping[str, Case]) -> Pairs:
    return [(cases[case].patient, float(mask.mean())) for (_, case), mask in masks.items()]
