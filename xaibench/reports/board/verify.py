"""Re-runs a random sample of an entry's cells from its specification, and writes the badge."""

import contextlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from xaibench.api import Progress, Record, Status
from xaibench.harness.cells import Cell, missing_cells
from xaibench.harness.describe import RECORDED_VERSIONS, describe_machine
from xaibench.harness.prepare import Prepared, prepare
from xaibench.harness.run import worker_for
from xaibench.harness.store.folder import RunFolder
from xaibench.harness.store.run_info import now
from xaibench.reports.board.badge import MOST_SHOWN, Verification, write_badge
from xaibench.reports.board.entry import Row, Section
from xaibench.reports.board.mismatch import other_code, other_data, other_facts
from xaibench.reports.board.pseudonyms import Pseudonyms, pseudonyms_of
from xaibench.reports.board.reading import Published, read_entry
from xaibench.reports.board.rerun import is_installed, spec_of
from xaibench.reports.board.sample import CellName, Sample
from xaibench.reports.board.tolerance import agrees, is_comparable, tolerance


@dataclass(frozen=True)
class Own:
    """What the verifier gives in place of the entry's settings, where those were paths."""

    dataset: str | None = None
    model: str | None = None
    options: Mapping[str, Any] | None = None


def verify(path: Path, sample: Sample, progress: Progress, own: Own = Own()) -> tuple[Path, Verification]:
    """Verify an entry; returns the badge's file and what it says.

    Raises XaibenchError for an entry that was changed or is none, and where cohort or model cannot be had here.
    """
    published = read_entry(path)
    section, cells = published.entry.xaibench, cells_of(published)
    drawn = sample.draw(cells)
    runnable = [cell for cell in drawn if is_installed(section, "methods", cell[0])]
    problems = list(other_code(section))
    compared: list[str] = []
    if runnable:
        compared, more = _rerun(published, runnable, progress, own)
        problems += more
    differing = [sentence for sentence in compared if sentence]
    found = Verification(
        at=now(),
        machine=describe_machine(),
        versions=installed_versions(),
        sample_seed=sample.seed,
        cells=len(cells),
        sampled=len(runnable),
        compared=len(compared),
        agreed=len(compared) - len(differing),
        problems=tuple([*problems, *differing][:MOST_SHOWN]),
    )
    return write_badge(path, found), found


def installed_versions() -> dict[str, str]:
    """Versions of the packages that runs record."""
    found = {}
    for name in RECORDED_VERSIONS:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def cells_of(published: Published) -> set[CellName]:
    """Cells with at least one score that another machine must find the same."""
    metrics = published.entry.xaibench.metrics
    return {(row.method, row.sample_id) for row in published.rows if is_comparable(metrics[row.metric])}


def _rerun(
    published: Published, cells: Sequence[CellName], progress: Progress, own: Own
) -> tuple[list[str], list[str]]:
    """Compare the scores of some cells: a sentence for each, empty where it agrees; and what does not fit at all."""
    section = published.entry.xaibench
    spec = spec_of(section, {method for method, _ in cells}, own.dataset, own.model, own.options)
    prepared = prepare(spec, progress)
    names = pseudonyms_of(prepared.info.cohort.cases, prepared.cases)
    if other := other_data(section, prepared, names):
        return [], other
    records = computed(prepared, names, cells, progress)
    rows = {(row.method, row.metric, row.sample_id): row for row in published.rows}
    return list(compare(section, rows, records, names)), list(other_facts(section, prepared))


def computed(
    prepared: Prepared, names: Pseudonyms, cells: Iterable[CellName], progress: Progress
) -> list[Record]:
    """Records of the chosen cells of a prepared run."""
    wanted = set(cells)
    chosen: list[Cell] = [
        cell
        for cell in missing_cells(prepared.info, ())
        if (cell.method, names.of_unit(cell.unit.id)) in wanted
    ]
    with tempfile.TemporaryDirectory() as place, closing(RunFolder(Path(place))) as scratch:
        scratch.expect(prepared.info)
        worker = worker_for(prepared, scratch, {cell.method for cell in chosen})
        return [record for cell in progress.track(chosen, "cells") for record in worker(cell).records]


def compare(
    section: Section,
    rows: Mapping[tuple[str, str, str], Row],
    records: Iterable[Record],
    names: Pseudonyms,
) -> Iterator[str]:
    """Yield a sentence for each record, empty where it agrees; failures may be the machine's and do not count."""
    for record in records:
        case = names.of_unit(record.case)
        row = rows.get((record.method, record.metric, case))
        if row is None:
            yield f"{record.method}, {record.metric}, {case}: the entry has no score."
        elif Status.FAILED not in (row.status, record.status):
            yield _difference(section, row, record)


def _difference(section: Section, row: Row, record: Record) -> str:
    where, facts = f"{row.method}, {row.metric}, {row.sample_id}", section.metrics[row.metric]
    if row.score is None or record.value is None:
        same = row.status is record.status
        return "" if same else f"{where}: {record.status.value} here, {row.status.value} in the entry."
    if agrees(facts, row.score, record.value):
        return ""
    allowed = tolerance(facts, row.score)
    return f"{where}: {record.value:.6g} here, {row.score:.6g} in the entry, more than {allowed:.2g} apart."
