"""What the viewer shows: facts and values of every case, and its slice and maps as pictures of values."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xaibench.api import Case, Family, Record
from xaibench.harness.store.folder import RunFolder
from xaibench.harness.store.run_info import CaseInfo, RunInfo, Scope
from xaibench.reports.in_words.cases import InWords
from xaibench.reports.in_words.observed import missing_map
from xaibench.reports.pictures.encoded import encoded_map, encoded_slice, outline_path, palettes
from xaibench.reports.pictures.outcome import outcome
from xaibench.reports.scoring.cell import is_measured
from xaibench.reports.scoring.families import metrics_by_family
from xaibench.reports.scoring.groups import class_name, groups_of
from xaibench.reports.scoring.results import Results
from xaibench.reports.text import ABSENT, exact, listed, percent

SIZES = ("small region", "medium region", "large region")
DIGITS = 4
"""Significant digits of the values in the viewer."""


@dataclass(frozen=True)
class Row:
    """One case in the table of cases."""

    case: str
    patient: str
    label: str
    predicted: str
    probability: str
    """Of the predicted class."""
    explained: str
    outcome: str
    size: str
    """Third of the annotated cases by the size of the region; `-` where that is not known."""
    pixels: int | None


def rows(info: RunInfo) -> list[Row]:
    """Facts of every case, in the order of the run."""
    sizes = sizes_of(info)
    return [
        Row(
            *(case.id, case.patient),
            listed([class_name(info, label) for label in case.labels]) or "none",
            class_name(info, case.predicted),
            percent(case.scores[case.predicted]),
            class_name(info, case.target),
            outcome(info, case).value,
            sizes.get(case.id, ABSENT),
            case.region_pixels,
        )
        for case in info.cohort.cases
    ]


def sizes_of(info: RunInfo) -> dict[str, str]:
    """Third that each annotated case belongs to by the size of its region, as the tables by group count it."""
    groups = groups_of(info, Family.COLOCALISATION)
    thirds = {group.subset: members for group, members in groups.items() if group.subset in SIZES}
    return {case: name.split()[0] for name, members in thirds.items() for case in members}


def metrics_shown(info: RunInfo) -> list[str]:
    """Metrics of single cases that stand for a fact; all of single cases where none does."""
    names = [name for group in metrics_by_family(info).values() for name in group]
    of_cases = [name for name in names if info.metrics[name].scope is Scope.CASE]
    return [name for name in of_cases if info.metrics[name].ranked] or of_cases


def viewer_index(run: Results, told: Mapping[str, InWords]) -> dict[str, Any]:
    """Everything but the pictures: methods, metrics, colours, and of each case its facts and values."""
    info = run.info
    metrics, methods = metrics_shown(info), [line.method for line in run.board.lines]
    values = {(r.case, r.metric, r.method): r.value for r in run.records if is_measured(r)}
    return {
        "methods": methods,
        "metric": _first_shown(info, metrics),
        "metrics": [{"name": m, "higher": info.metrics[m].higher_is_better} for m in metrics],
        "palettes": palettes(),
        "cases": [
            {
                **_facts(run.cases[case.id], case),
                "about": told[case.id].model,
                "values": [[_rounded(values.get((case.id, m, name))) for name in methods] for m in metrics],
            }
            for case in info.cohort.cases
        ],
    }


def _first_shown(info: RunInfo, metrics: Sequence[str]) -> int:
    """Number of the first metric on where a map lies, which most cases have; else of the first."""
    located = (n for n, name in enumerate(metrics) if info.metrics[name].family == Family.COLOCALISATION)
    return next(located, 0)


def _facts(case: Case, info: CaseInfo) -> dict[str, Any]:
    """Name, place and size of a case; `spacing` is None where the size of a pixel is not known."""
    return {
        "name": case.id,
        "patient": case.patient,
        "slice": case.slice_index,
        "copy": info.copy_of,
        "shape": list(case.image.shape[:-1]),
        "spacing": None if case.spacing_mm is None else [float(exact(side)) for side in case.spacing_mm],
        "region": case.region_name,
        "outline": None if case.region is None else outline_path(case.region),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{DIGITS}g}")


def case_pictures(folder: RunFolder, run: Results, told: Mapping[str, InWords]) -> Iterator[dict[str, Any]]:
    """Slice and maps of each case, in the order of `viewer_index`; they are read one case at a time."""
    of_map: dict[tuple[str, str], list[Record]] = {}
    for record in run.records:
        of_map.setdefault((record.case, record.method), []).append(record)
    methods = [line.method for line in run.board.lines]
    for case in run.info.cohort.cases:
        maps = [
            {**_map(folder, method, case.id, of_map.get((case.id, method), [])), "words": words}
            for method in methods
            for words in [told[case.id].maps[method]]
        ]
        yield {"slice": encoded_slice(run.cases[case.id].image), "maps": maps}


def _map(folder: RunFolder, method: str, case: str, records: Sequence[Record]) -> dict[str, Any]:
    """The encoded map, or no picture where there is none; the words say why."""
    found = folder.explanation(method, case)
    if found is None or missing_map(found, records):
        return {"png": None}
    encoded = encoded_map(found.heatmap)
    return {"png": encoded.png, "limit": float(exact(encoded.limit)), "signed": encoded.signed}
