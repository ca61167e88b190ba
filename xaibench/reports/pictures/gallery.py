"""Which cases are shown, and what is drawn of each: the slice and every method's map."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from xaibench.api import Case, Record, Status
from xaibench.harness.store.folder import RunFolder
from xaibench.reports.pictures.pictures import heatmap_picture, slice_picture
from xaibench.reports.pictures.tiles import Tile, described
from xaibench.reports.scoring.results import Results, class_name
from xaibench.reports.text import one_line, percent

SHOWN = 4
"""Cases in the gallery."""


@dataclass(frozen=True)
class CaseRow:
    """One case of the gallery."""

    title: str
    subtitle: str
    slice: Tile
    maps: list[Tile]


def by_label(cases: Mapping[str, tuple[Case, int]]) -> dict[int, list[Case]]:
    """Queue the cases of each label, one a patient, annotated ones first."""
    queues: dict[int, list[Case]] = {}
    seen: set[str] = set()
    for case, _ in sorted(cases.values(), key=lambda pair: (pair[0].mask is None, pair[0].id)):
        if case.patient not in seen:
            seen.add(case.patient)
            queues.setdefault(case.label, []).append(case)
    return dict(sorted(queues.items()))


def chosen(cases: Mapping[str, tuple[Case, int]], count: int = SHOWN) -> list[str]:
    """Choose case names from the classes in turn."""
    queues = by_label(cases)
    ranked = [(place, label, case.id) for label, queue in queues.items() for place, case in enumerate(queue)]
    return [case for _, _, case in sorted(ranked)[:count]]


def case_rows(folder: RunFolder, run: Results) -> list[CaseRow]:
    """Draw the chosen cases with the maps of all methods, in the order of the leaderboard."""
    return [_case_row(folder, run, *run.cases[name]) for name in chosen(run.cases)]


def _case_row(folder: RunFolder, run: Results, case: Case, target: int) -> CaseRow:
    of_case = {(r.method, r.metric): r for r in run.records if r.case == case.id}
    label, explained = class_name(run.info, case.label), class_name(run.info, target)
    outlined = "tumour outlined" if case.region is not None else "no annotated tumour"
    shown = Tile(
        "slice", f"Slice of {case.id}, {outlined}.", slice_picture(case.image, case.region), outlined
    )
    maps = [map_tile(folder, s.method, case, explained, of_case) for s in run.board.standings]
    return CaseRow(case.id, f"label: {label}; explained class: {explained}; {outlined}", shown, maps)


def map_tile(
    folder: RunFolder,
    method: str,
    case: Case,
    explained: str,
    of_case: Mapping[tuple[str, str], Record],
) -> Tile:
    """Draw a method's map of a case, or say why there is none; `of_case` are its records by method and metric."""
    found = folder.explanation(method, case.id)
    alt = f"{method} map of {case.id} for {explained}"
    if found is None:
        reasons = (r.reason for (m, _), r in of_case.items() if m == method and r.status is not Status.OK)
        return Tile(method, alt, note=f"no map: {one_line(next(reasons, 'not computed'))}")
    if not np.isfinite(found.heatmap).all():
        return Tile(method, alt, note="no map: it holds values that are not finite")
    picture = heatmap_picture(found.heatmap, case.region)
    share = of_case.get((method, "relevance-mass"))
    inside = f"{percent(share.value)} in tumour" if share is not None and share.value is not None else ""
    return described(method, alt, picture, inside)
