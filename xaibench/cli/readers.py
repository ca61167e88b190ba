"""`xaibench readers ...`: blinded pages for radiologists, and what their ratings say."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from xaibench.cli.terminal import out_console

readers_app = typer.Typer(no_args_is_help=True, help="Let radiologists rate the maps of a run, blinded.")
RunPath = Annotated[Path, typer.Argument(help="folder of the run")]


@readers_app.command("make", epilog="Example: `xaibench readers make runs/s --readers 3 --out study`")
def readers_make(
    run: RunPath,
    out: Annotated[Path, typer.Option(help="new folder for the pages and the key")],
    readers: Annotated[
        int, typer.Option(min=1, max=100, help="pages to make, each in an order of its own")
    ] = 1,
    methods: Annotated[
        str | None, typer.Option(help="whose maps to show, separated by commas  [default: all]")
    ] = None,
    patients: Annotated[
        int | None, typer.Option(min=1, help="at most so many patients, the classes in turn  [default: all]")
    ] = None,
    repeats: Annotated[
        float, typer.Option(min=0, max=1 / 3, help="share of the maps that are shown twice")
    ] = 0.1,
    seed: Annotated[int, typer.Option(min=0, help="draws orders, repeats and names")] = 0,
) -> None:
    """Make a page for each reader: one offline file, no method named; the key stays with you."""
    from xaibench.harness.store.folder import RunFolder
    from xaibench.reports.readers.making import Plan, make_study

    chosen = tuple(name.strip() for name in (methods or "").split(",") if name.strip())
    folder = RunFolder.existing(run)
    made = make_study(folder, out, Plan(readers, chosen, patients, repeats, seed))
    folder.close()
    for page in made.pages:
        out_console.print(f"Page: {escape(str(page))} ({made.maps} maps)")
    out_console.print(f"Key, not for the readers: {escape(str(made.key))}")


@readers_app.command("score", epilog="Example: `xaibench readers score study --run runs/s`")
def readers_score(
    studies: Annotated[
        list[Path], typer.Argument(help="folders with key.json and the files that readers saved")
    ],
    run: Annotated[Path, typer.Option(help="folder of the run that the pages were made of")],
) -> None:
    """Score the readers' files: ratings, agreement, and how far the metrics of the run agree with the readers."""
    from xaibench.harness.store.folder import RunFolder
    from xaibench.reports.readers.scoring import score_studies

    folder = RunFolder.existing(run)
    page = score_studies(folder, studies)
    out_console.print((folder.path / "readers.md").read_text(encoding="utf-8"), markup=False)
    folder.close()
    out_console.print(
        f"Page: {escape(str(page))}; `xaibench report {escape(str(run))}` links it with the report."
    )
