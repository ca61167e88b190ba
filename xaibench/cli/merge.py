"""`xaibench merge`: the shards of a run, or several runs on the same cases, become one."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from xaibench.cli.terminal import out_console, say


def merge(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="run folders, two or more")],
    out: Annotated[Path, typer.Option(help="folder to write; must be new or empty")],
) -> None:
    """Join run folders of one model and cohort: shards, or runs of different methods and metrics."""
    from xaibench.cli.run import print_results
    from xaibench.harness.cells import wanted
    from xaibench.harness.store.merging import merge as merge_folders
    from xaibench.reports import write_reports

    folder = merge_folders(folders, out)
    missing = len({record.key for record in wanted(folder.info())} - folder.finished())
    if missing:
        say(
            f"{missing} records are in none of the folders; the run in {out} computes them if it is started again."
        )
    report = write_reports(folder)
    failed = print_results(folder)
    out_console.print(f"Report: {escape(str(report))}")
    folder.close()
    raise typer.Exit(1 if failed else 0)
