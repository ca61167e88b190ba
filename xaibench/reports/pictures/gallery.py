"""Which cases are shown, and what is drawn of each: the slice and every method's map."""

from collections.abc import Mapping
from dataclasses import dataclass

from xaibench.api import Case, Record
from xaibench.harness.store.folder import RunFolder
from xaibench.harness.store.run_info import CaseInfo, RunInfo
from xaibench.reports.in_words.cases import InWords
from xaibench.reports.in_words.observed import missing_map
from xaibench.reports.pictures.outcome import misclassified
from xaibench.reports.pictures.pictures import heatmap_picture, slice_picture
from xaibench.reports.pictures.tiles import Tile, described
from xaibench.reports.scoring.groups import class_name
from xaibench.reports.scoring.results import Results
from xaibench.reports.text import percent

SHOWN = 4
"""Cases in the gallery, by the classes in turn."""
WRONG_SHOWN = 4
"""Misclassified cases that are shown besides."""


@dataclass(frozen=True)
class CaseRow:
    """One case of the gallery."""

    title: str
    subtitle: str
    slice: Tile
    maps: list[Tile]
    words: InWords


def by_class(info: RunInfo, cases: Mapping[str, Case]) -> dict[str, list[Case]]:
    """Queue the cases of each explained class, one a patient, annotated ones first."""
    targets = {case.id: case.target for case in info.cohort.cases}
    queues: dict[int, list[Case]] = {}
    seen: set[str] = set()
    for case in sorted(cases.values(), key=lambda case: (case.region is None, case.id)):
        if case.patient not in seen:
            seen.add(case.patient)
            queues.setdefault(targets[case.id], []).append(case)
    return {class_name(info, target): queue for target, queue in sorted(queues.items())}


def chosen(info: RunInfo, cases: Mapping[str, Case], count: int = SHOWN) -> list[str]:
    """Choose case names from the explained classes in turn, then the misclassified ones that the model is surest of."""
    queues = enumerate(by_class(info, cases).values())
    ranked = [(turn, number, case.id) for number, queue in queues for turn, case in enumerate(queue)]
    names = [case for _, _, case in sorted(ranked)[:count]]
    wrong = [case.id for case in misclassified(info)]
    missing = max(0, min(WRONG_SHOWN, len(wrong)) - len({*names} & {*wrong}))
    return names + [name for name in wrong if name not in names][:missing]


def shown_note(info: RunInfo, cases: Mapping[str, Case]) -> str:
    """Say how many of the misclassified cases the gallery shows."""
    wrong = {case.id for case in misclassified(info)}
    if not wrong:
        return "The model gets no case wrong." if cases else ""
    if len(wrong) == 1:
        return "The one misclassified case is shown."
    shown = len(wrong.intersection(chosen(info, cases)))
    return f"{shown} of the {len(wrong)} misclassified cases are shown."


def case_rows(folder: RunFolder, run: Results, told: Mapping[str, InWords]) -> list[CaseRow]:
    """Draw the chosen cases with the maps of all methods, in the order of the leaderboard; `told` is each in words."""
    facts = {case.id: case for case in run.info.cohort.cases}
    names = chosen(run.info, run.cases)
    return [_case_row(folder, run, run.cases[name], facts[name], told[name]) for name in names]


def _case_row(folder: RunFolder, run: Results, case: Case, facts: CaseInfo, words: InWords) -> CaseRow:
    of_case = {(r.method, r.metric): r for r in run.records if r.case == case.id}
    labels = ", ".join(class_name(run.info, label) for label in case.labels) or "none"
    explained = class_name(run.info, facts.target)
    called = f"predicted: {class_name(run.info, facts.predicted)} ({percent(max(facts.scores))})"
    outlined = outline_note(case)
    shown = Tile(
        "slice", f"Slice of {case.id}, {outlined}.", slice_picture(case.image, case.region), outlined
    )
    maps = [map_tile(folder, s.method, case, explained, of_case) for s in run.board.lines]
    about = f"label: {labels}; {called}; explained class: {explained}; {outlined}"
    return CaseRow(case.id, about, shown, maps, words)


def outline_note(case: Case) -> str:
    """Say whether the annotated region is outlined."""
    return f"{case.region_name} outlined" if case.region is not None else f"no annotated {case.region_name}"


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
    reason = missing_map(found, (r for (m, _), r in of_case.items() if m == method))
    if found is None or reason:
        return Tile(method, alt, note=f"no map: {reason}")
    picture = heatmap_picture(found.heatmap, case.region)
    share = of_case.get((method, "relevance-mass"))
    inside = (
        f"{percent(share.value)} in the {case.region_name}"
        if share is not None and share.value is not None
        else ""
    )
    return described(method, alt, picture, inside)
