"""Makes a reader study of a run: a page for each reader, and the key."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xaibench.api import Case, Heatmap, XaibenchError, unknown, write_file
from xaibench.harness.cells import spread
from xaibench.harness.store.folder import RunFolder
from xaibench.reports.readers.formats import Key
from xaibench.reports.readers.maps import finite_map
from xaibench.reports.readers.order import MOST_REPEATED, Map, drawn_order
from xaibench.reports.readers.page import reader_page
from xaibench.reports.readers.reading import KEY
from xaibench.reports.scoring.groups import class_name


@dataclass(frozen=True)
class Plan:
    """What a study shows, and to how many readers."""

    readers: int = 1
    methods: tuple[str, ...] = ()
    """Empty = all that have maps."""
    patients: int | None = None
    """At most so many, the classes in turn; None = all."""
    repeated: float = 0.1
    """Share of the maps that are shown twice."""
    seed: int = 0


@dataclass(frozen=True)
class Made:
    """A study on disk."""

    pages: tuple[Path, ...]
    key: Path
    maps: int
    """Different maps; those shown twice count once."""


def make_study(folder: RunFolder, out: Path, plan: Plan) -> Made:
    """Write `reader-1.html`, ... for the readers, and `key.json`, which stays with whoever runs the study.

    Every reader sees the same maps in an order of their own. Raises XaibenchError where there is nothing to show.
    """
    if not 0 <= plan.repeated <= MOST_REPEATED:
        raise XaibenchError(f"repeats are a share of 0 to 1/3 of the maps, not {plan.repeated:g}.")
    if (out / KEY).exists():
        raise XaibenchError(f"{out} holds a reader study already; choose another --out folder.")
    heatmaps, cases = _heatmaps(folder, plan), folder.cases()
    key = _key(folder, sorted(heatmaps), plan)
    classes = {case.id: class_name(folder.info(), case.target) for case in folder.info().cohort.cases}
    out.mkdir(parents=True, exist_ok=True)
    pages = [_write_page(out, name, key, cases, classes, heatmaps) for name in key.readers]
    text = key.model_dump_json(indent=1) + "\n"
    path = write_file(out / KEY, lambda file: file.write(text.encode()))
    return Made(tuple(pages), path, len(heatmaps))


def _heatmaps(folder: RunFolder, plan: Plan) -> dict[Map, Heatmap]:
    """Maps to show, by case and method; those that are missing are left out."""
    info = folder.info()
    for name in plan.methods:
        if name not in info.methods:
            raise XaibenchError(unknown("method of this run", name, list(info.methods)))
    patients = set(spread(info.cohort.cases, plan.patients))
    found = {
        (case.id, method): heatmap
        for case in info.cohort.cases
        if case.patient in patients
        for method in sorted(plan.methods or info.methods)
        if (heatmap := finite_map(folder, method, case.id)) is not None
    }
    if not found:
        raise XaibenchError(f"{folder.path} holds no maps to show; run it again, or name other methods.")
    return found


def _key(folder: RunFolder, maps: list[Map], plan: Plan) -> Key:
    info = folder.info()
    shown = {
        "model": info.model.key,
        "cases": {case: info.cohort.case_keys[case] for case, _ in maps},
        "methods": {method: info.methods[method].key for _, method in maps},
    }
    described = json.dumps([shown, plan.seed, plan.readers, plan.repeated], sort_keys=True)
    readers = {
        f"reader-{number}": drawn_order(maps, plan.repeated, np.random.default_rng([plan.seed, number]))
        for number in range(1, plan.readers + 1)
    }
    study = hashlib.sha256(described.encode()).hexdigest()[:16]
    return Key.model_validate({"study": study, "seed": plan.seed, **shown, "readers": readers})


def _write_page(
    out: Path,
    reader: str,
    key: Key,
    cases: Mapping[str, Case],
    classes: Mapping[str, str],
    heatmaps: Mapping[Map, Heatmap],
) -> Path:
    shown = {case: cases[case] for case in key.cases}
    text = reader_page(
        key.study, reader, key.readers[reader], shown, classes, lambda method, case: heatmaps[case, method]
    )
    return write_file(out / f"{reader}.html", lambda file: file.write(text.encode()))
