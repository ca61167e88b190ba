"""Writes the checklists and the methods paragraph of a run as Markdown."""

from collections.abc import Mapping
from html import escape
from pathlib import Path

from pydantic import ValidationError

from xaibench.api import XaibenchError
from xaibench.harness.store.folder import RunFolder
from xaibench.reports.checklists import claim, clix
from xaibench.reports.checklists.items import Checklist, Item, checklist
from xaibench.reports.checklists.paragraph import methods_paragraph, sources
from xaibench.reports.pages.markdown import markdown_table
from xaibench.reports.readers.results import FILE, ReaderResults
from xaibench.reports.scoring.results import Results, read

OPEN = "**To be filled in by the authors**"


def write_checklists(folder: RunFolder) -> list[Path]:
    """Write checklist-claim-2024.md, checklist-clix-m.md and methods-paragraph.md into the run folder.

    What a reader study of the run found enters CLIX-M. Raises XaibenchError where the folder holds no run.
    """
    run, readers = read(folder), _readers(folder)
    answers = {
        "claim-2024": {number: answer(run) for number, answer in claim.ANSWERS.items()},
        "clix-m": {number: answer(run, readers) for number, answer in clix.ANSWERS.items()},
    }
    texts = {f"checklist-{name}.md": filled(checklist(name), found) for name, found in answers.items()}
    texts["methods-paragraph.md"] = paragraph_page(run)
    return [folder.write_text(name, text) for name, text in texts.items()]


def filled(asked: Checklist, answers: Mapping[int, str]) -> str:
    """Lay out a checklist; an item of which the run knows nothing is left open."""
    sections = any(item.section for item in asked.items)
    header = ["no.", *(["section"] if sections else []), "item", "this study"]
    rows = [
        [str(item.number), *([item.section] if sections else []), item.subject, _cell(item, answers)]
        for item in asked.items
    ]
    blocks = [f"# {asked.title}", f"Source: {asked.source}", asked.note]
    return "\n\n".join([*blocks, markdown_table(header, rows)]) + "\n"


def _cell(item: Item, answers: Mapping[int, str]) -> str:
    known = answers.get(item.number, "")
    if not known:
        return f"{OPEN}."
    return f"{known} {OPEN}: {item.open}." if item.open else known


def paragraph_page(run: Results) -> str:
    """Lay out the methods paragraph, with the table of explainers and metrics that it rests on."""
    table = markdown_table(["kind", "name", "parameters", "source"], sources(run.info))
    return f"# Methods\n\n{escape(methods_paragraph(run.info), quote=False)}\n\n{table}\n"


def _readers(folder: RunFolder) -> ReaderResults | None:
    path = folder.path / FILE
    if not path.is_file():
        return None
    try:
        return ReaderResults.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise XaibenchError(
            f"{path} is damaged; run `xaibench readers score` again, or delete it."
        ) from error
