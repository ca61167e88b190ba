"""Writes the results of a reader study: readers.json, a CSV file for each table, readers.md and readers.html."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from xaibench.harness.store.folder import RunFolder
from xaibench.harness.store.run_info import Part, RunInfo
from xaibench.reports.pages.frames import csv_text
from xaibench.reports.pages.markdown import markdown_table
from xaibench.reports.readers.questions import QUESTIONS
from xaibench.reports.readers.rendering import rendered
from xaibench.reports.readers.results import (
    FILE,
    Figure,
    MethodRating,
    MetricAgreement,
    Overlap,
    ReaderAgreement,
    ReaderResults,
    Repeated,
)
from xaibench.reports.readers.tables import summary, tables

PAGE = "readers.html"
NUMBERS = ("value", "low", "high", "kappa")
"""Columns that hold no number in some rows."""


def write(folder: RunFolder, found: ReaderResults) -> Path:
    """Write all files into the run folder; returns the path of the page."""
    info = folder.info()
    folder.write_text(FILE, found.model_dump_json(indent=1) + "\n")
    for name, table in csv_tables(found).items():
        folder.write_text(f"readers-{name}.csv", csv_text(table))
    folder.write_text("readers.md", markdown(info, found))
    return folder.write_text(PAGE, results_page(info, found))


def readers_page(folder: RunFolder) -> str:
    """Name of the page on the readers, or nothing where no study has been scored."""
    return PAGE if (folder.path / FILE).is_file() else ""


def csv_tables(found: ReaderResults) -> dict[str, pd.DataFrame]:
    """Tables for machines."""
    return {
        "ratings": frame(MethodRating, found.ratings),
        "agreement": frame(ReaderAgreement, found.agreement),
        "repeats": frame(Repeated, found.repeats),
        "metrics": frame(MetricAgreement, found.metrics),
        "overlaps": frame(Overlap, found.overlaps),
    }


def frame(kind: type[Part], rows: Sequence[Part]) -> pd.DataFrame:
    """Rows as a table; the parts of a figure stand in columns of their own."""
    columns: list[str] = []
    for name, field in kind.model_fields.items():
        columns += Figure.model_fields if field.annotation is Figure else [name]
    flat = pd.DataFrame([_flat(row.model_dump()) for row in rows], columns=columns)
    return flat.astype({name: float for name in NUMBERS if name in flat})


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row.items():
        flat |= value if isinstance(value, dict) else {name: value}
    return flat


def markdown(info: RunInfo, found: ReaderResults) -> str:
    """All tables as GitHub renders them."""
    blocks = [f"# Readers on the maps of {info.model.name} on {info.cohort.name}", summary(found)]
    for table in tables(found):
        blocks += [f"{table.caption}.", markdown_table(table.header, table.rows)]
    return "\n\n".join(blocks) + "\n"


def results_page(info: RunInfo, found: ReaderResults) -> str:
    """The page on the readers; one HTML file, opens offline."""
    asked = [
        f"{q.name}: {q.text.format(finding=info.cohort.region_name)} (1 = {q.low}, 5 = {q.high})"
        for q in QUESTIONS
    ]
    return rendered(
        "results.html.j2", info=info, summary=summary(found), questions=asked, tables=tables(found)
    )
