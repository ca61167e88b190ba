"""Boards of made-up runs, and entries forged as well as a stranger could."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.reports.made_up import METHODS, NASTY, Plan, make_run
from xaibench.harness.store.folder import RunFolder
from xaibench.reports.board.entry import Entry, Row, content_hash
from xaibench.reports.board.folder import add
from xaibench.reports.board.making import rows_text
from xaibench.reports.board.reading import read_entry
from xaibench.reports.board.results import results_of

PUBLISHED = {name: family for name, family in METHODS.items() if name != NASTY}
METRICS = ("morf-lerf", "gini", "enrichment", "sensitivity-norm", "latency", "throughput")
CHOSEN = ("lime", "grad-cam", "stacked-feature-maps", "broken", "blind", "random", "mask")
PLAN = Plan(patients=4, methods={name: PUBLISHED[name] for name in CHOSEN}, metrics=METRICS)
Change = Callable[[dict[str, Any], list[Row]], list[Row]]


def made_run(path: Path, plan: Plan = PLAN, methods: Sequence[str] = (), **model: Any) -> RunFolder:
    """Make a run of some of the methods that may be published."""
    chosen = {name: PUBLISHED[name] for name in methods} if methods else plan.methods
    return make_run(path, replace(plan, methods=chosen), **model)


def added(folder: RunFolder, board: Path) -> Path:
    """Entry of a run, on a board."""
    path, _ = add(folder, board)
    folder.close()
    return path


def forged(path: Path, change: Change, instead: bool = False) -> Path:
    """Entry with something changed and every hash and score made anew, beside the old one or instead of it.

    `change` gets the section of xaibench and the rows.
    """
    published = read_entry(path)
    section = published.entry.xaibench.model_dump(mode="json")
    rows = change(section, list(published.rows))
    text = rows_text(rows)
    document = published.entry.model_dump(mode="json")
    document["xaibench"] = section
    document["detailed_evaluation_results"] |= {
        "checksum": hashlib.sha256(text.encode()).hexdigest(),
        "total_rows": len(rows),
    }
    entry = Entry.model_validate(document)
    entry = entry.model_copy(update={"evaluation_results": results_of(entry.xaibench, rows)})
    content = entry.text().encode()
    new = path.with_name(f"{content_hash(content)}.json")
    new.write_bytes(content)
    new.with_suffix(".jsonl").write_text(text)
    for old in (path, path.with_suffix(".jsonl")) if instead else ():
        old.unlink()
    return new
