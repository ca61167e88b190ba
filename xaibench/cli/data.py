"""`xaibench data ...`: make, check and fetch cohorts."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from xaibench.api import Checkable, Dataset, XaibenchError, unknown
from xaibench.cli import options
from xaibench.cli.terminal import error_console, out_console, table
from xaibench.harness.configured import check_options, find_source

data_app = typer.Typer(no_args_is_help=True, help="Make, check and fetch cohorts.")


@data_app.command("make", epilog="Example: `xaibench data make phantom --out cohorts/phantom`")
def data_make(
    name: Annotated[str, typer.Argument(help="phantom or phantom-shortcut")],
    out: Annotated[Path, typer.Option(help="folder to write; must be new or empty")],
    patients: Annotated[int, typer.Option(help="number of patients")] = 28,
    recurrent: Annotated[int, typer.Option(help="how many of them recur")] = 7,
    seed: Annotated[int, typer.Option(help="the same seed gives the same bytes")] = 0,
) -> None:
    """Write a synthetic cohort as DICOM: an MR series and a SEG a patient, and clinical.csv."""
    from xaibench.datasets.phantom.dataset import Phantom, PhantomShortcut, make_phantom

    kinds = {"phantom": Phantom, "phantom-shortcut": PhantomShortcut}
    if name not in kinds:
        raise XaibenchError(unknown("cohort to make", name, list(kinds)))
    make_phantom(out, patients, recurrent, seed, shortcut=kinds[name] is PhantomShortcut)
    out_console.print(f"Wrote {patients} patients, {recurrent} of them recurrent: {out}")


@data_app.command(
    "check", epilog="Example: `xaibench data check /data/cervix`", context_settings=options.OPEN
)
def data_check(
    path: Annotated[str, typer.Argument(help="folder or file of a cohort")],
    more: options.More = None,
    sheet: Annotated[
        Path | None, typer.Option(help="PNG to write: a slice of each patient, the region outlined")
    ] = None,
) -> None:
    """Show what would be read of a cohort, and every problem found (exit code 1 if there is one).

    Further options are the dataset's, such as --series of a DICOM folder: `xaibench list datasets`.
    """
    source = find_source(["datasets"], path)
    given = options.of_sources(more or ())
    check_options(given, [source])
    dataset: Dataset = source.make(given)
    if not isinstance(dataset, Checkable):
        raise XaibenchError(f"The dataset {source.plugin.name} has no check; run it with --dry-run instead.")
    header, rows, problems = dataset.check_table()
    out_console.print(table(header, rows))
    for problem in problems:
        out_console.print(f"- {escape(problem)}")
    if sheet:
        from xaibench.reports.pictures.sheet import write_sheet

        shown = write_sheet(dataset.volumes(), dataset.class_names, sheet)
        out_console.print(f"Contact sheet of {shown} patients: {escape(str(sheet))}")
    out_console.print(f"{len(rows)} patients, {len(problems)} problems.")
    raise typer.Exit(1 if problems else 0)


@data_app.command("fetch", epilog="Example: `xaibench data fetch tcga-cesc --plan`")
def data_fetch(
    name: Annotated[str, typer.Argument(help="tcga-cesc or cc-tumor-heterogeneity")],
    out: Annotated[Path | None, typer.Option(help="folder to write; default: the user's cache")] = None,
    series: Annotated[str, typer.Option(help="main: what a run reads; all: every series")] = "main",
    recurrence: Annotated[str | None, typer.Option(help="pfi, tumor-status or new-tumor-event")] = None,
    radiotherapy: Annotated[
        str | None, typer.Option(help="yes: only where stated; any: all patients")
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="show what would be fetched; needs no network")
    ] = False,
) -> None:
    """Fetch a public cohort from the Imaging Data Commons; the same command goes on after a stop."""
    from xaibench.cli.progress import ConsoleProgress
    from xaibench.datasets.idc.cohorts import default_out, make_plan
    from xaibench.datasets.idc.download import fetch, open_index

    index = open_index()
    found = make_plan(name, index, series, recurrence, radiotherapy)
    folder = out or default_out(name)
    for header, rows in found.tables:
        out_console.print(table(header, rows))
    for sentence in (*found.notes, found.size(), found.left(folder)):
        out_console.print(escape(sentence))
    if not plan:
        fetch(index, found.series, folder, ConsoleProgress(error_console).track)
        out_console.print(f"Fetched: {escape(str(folder))}")
