"""`xaibench checklist`: reporting checklists and a methods paragraph, from a run."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from xaibench.cli.terminal import out_console


def checklist(run: Annotated[Path, typer.Argument(help="folder of a run")]) -> None:
    """Fill in CLAIM 2024 and CLIX-M as far as the run knows, and write a methods paragraph; all as Markdown."""
    from xaibench.harness.store.folder import RunFolder
    from xaibench.reports.checklists.writing import write_checklists

    folder = RunFolder.existing(run)
    for path in write_checklists(folder):
        out_console.print(f"Wrote {escape(str(path))}")
    folder.close()
