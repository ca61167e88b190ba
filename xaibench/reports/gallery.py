"""Which cases are shown, and what is drawn of each: the slice, every method's map, the simulated images."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from xaibench.harness.store import RunFolder
from xaibench.harness.types import Case, CohortExplanation, Record, Status
from xaibench.reports.pictures import Picture, heatmap_picture, slice_picture
from xaibench.reports.results import Results, class_name
from xaibench.reports.text import brief, one_line, percent

SHOWN = 4
"""Cases in the gallery."""


@dataclass(frozen=True)
class Tile:
    """A picture with its words, or the words alone where there is nothing to show."""

    title: str
    alt: str
    picture: Picture | None = None
    note: str = ""


@dataclass(frozen=True)
class CaseRow:
    """One case of the gallery."""

    title: str
    subtitle: str
    slice: Tile
    maps: list[Tile]


@dataclass(frozen=True)
class CohortRow:
    """The simulated image and the stacked map of one class, by one method."""

    title: str
    tiles: list[Tile]


def chosen(cases: Mapping[str, tuple[Case, int]], count: int = SHOWN) -> list[str]:
    """Choose case names, one a patient, from the classes in turn, annotated ones first."""
    queues: dict[int, list[Case]] = {}
    seen: set[str] = set()
    for case, _ in sorted(cases.values(), key=lambda pair: (pair[0].mask is None, pair[0].id)):
        if case.patient not in seen:
            seen.add(case.patient)
            queues.setdefault(case.label, []).append(case)
    ranked = [(place, label, case.id) for label, queue in queues.items() for place, case in enumerate(queue)]
    return [case for _, _, case in sorted(ranked)[:count]]


def case_rows(folder: RunFolder, run: Results) -> list[CaseRow]:
    """Draw the chosen cases with the maps of all methods, in the order of the leaderboard."""
    return [_case_row(folder, run, *run.cases[name]) for name in chosen(run.cases)]


def _case_row(folder: RunFolder, run: Results, case: Case, target: int) -> CaseRow:
    of_case = {(r.method, r.metric): r for r in run.records if r.case == case.id}
    label, explained = class_name(run.info, case.label), class_name(run.info, target)
    outlined = "tumour outlined" if case.mask is not None else "no annotated tumour"
    shown = Tile("slice", f"Slice of {case.id}, {outlined}.", slice_picture(case.image, case.mask), outlined)
    maps = [_map_tile(folder, s.method, case, explained, of_case) for s in run.board.standings]
    return CaseRow(case.id, f"label: {label}; explained class: {explained}; {outlined}", shown, maps)


def _map_tile(
    folder: RunFolder,
    method: str,
    case: Case,
    explained: str,
    of_case: Mapping[tuple[str, str], Record],
) -> Tile:
    found = folder.explanation(method, case.id)
    alt = f"{method} map of {case.id} for {explained}"
    if found is None:
        reasons = (r.reason for (m, _), r in of_case.items() if m == method and r.status is not Status.OK)
        return Tile(method, alt, note=f"no map: {one_line(next(reasons, 'not computed'))}")
    if not np.isfinite(found.heatmap).all():
        return Tile(method, alt, note="no map: it holds values that are not finite")
    picture = heatmap_picture(found.heatmap, case.mask)
    share = of_case.get((method, "relevance-mass"))
    inside = f"{percent(share.value)} in tumour" if share is not None and share.value is not None else ""
    return _described(method, alt, picture, inside)


def _described(title: str, alt: str, picture: Picture, note: str = "") -> Tile:
    if picture.bar is None:
        return Tile(
            title, f"{alt}: constant.", picture, f"constant map: {brief(picture.constant)} everywhere"
        )
    scale = f"{brief(picture.bar.low)} to {brief(picture.bar.high)}"
    return Tile(title, f"{alt}; scale {scale}.", picture, note)


def cohort_rows(folder: RunFolder, run: Results) -> list[CohortRow]:
    """Draw the simulated images and stacked maps of every method that explains the cohort."""
    values = {
        (r.method, r.case): r.value
        for r in run.records
        if r.metric == "class-consistency" and r.status is Status.OK
    }
    return [
        _cohort_row(method, class_name(run.info, label), explanation, values)
        for method in sorted(run.info["methods"])
        for label, explanation in sorted((folder.cohort_explanations(method) or {}).items())
    ]


def _cohort_row(
    method: str,
    name: str,
    explanation: CohortExplanation,
    values: Mapping[tuple[str, str], float | None],
) -> CohortRow:
    value = values.get((method, f"class {name}"))
    says = (
        f"the model gives it {brief(value)} probability of {name}"
        if value is not None
        else "class-consistency was not measured"
    )
    simulated = Tile(
        "simulated image",
        f"Image of {name} simulated by {method}.",
        slice_picture(explanation.image, None),
        says,
    )
    stacked = _described(
        "stacked map", f"Stacked map of {name} by {method}", heatmap_picture(explanation.map, None)
    )
    return CohortRow(f"{method}: {name}", [simulated, stacked])
