"""The command line: parse, wire, print."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from xaibench.harness import registry
from xaibench.harness.registry import Kind
from xaibench.harness.spec import Intensity, Preset, RunSpec, Slices, make_spec
from xaibench.harness.types import XaibenchError

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="markdown", help=__doc__)
data_app = typer.Typer(no_args_is_help=True, help="Make, check and fetch cohorts.")
list_app = typer.Typer(no_args_is_help=True, help="List what is registered.")
plugin_app = typer.Typer(no_args_is_help=True, help="Check plugins.")
app.add_typer(data_app, name="data")
app.add_typer(list_app, name="list")
app.add_typer(plugin_app, name="plugin")

UNBROKEN = (
    "name",
    "method",
    "family",
    "status",
    "patient",
    "co-localisation",
    "faithfulness",
    "robustness",
)  # columns
INTERRUPTED = 130  # what typer makes of Ctrl-C
# A pipe or a log file has no width of its own; 80 columns would break every table.
out_console = Console(soft_wrap=True, width=None if sys.stdout.isatty() else 120)
error_console = Console(stderr=True, soft_wrap=True)


def main() -> None:
    """Entry point: an XaibenchError is one sentence and exit code 2; Ctrl-C says how to go on."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        app()
    except XaibenchError as error:
        error_console.print(f"[bold red]error:[/] {escape(str(error))}")
        sys.exit(2)
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            error_console.print("Stopped; everything finished is kept. The same command goes on from here.")
        raise


# -------------------------------------------------------------------- run


@app.command(epilog="Example: `xaibench run --methods all --preset smoke --out runs/s`")
def run(
    methods: Annotated[str | None, typer.Option(help="all, names by commas, family:cam")] = None,
    metrics: Annotated[str | None, typer.Option(help="all, names by commas, family:robustness")] = None,
    dataset: Annotated[str | None, typer.Option(help="phantom, phantom-shortcut, or a DICOM folder")] = None,
    series: Annotated[str | None, typer.Option(help="which MR series of a DICOM folder (pattern)")] = None,
    roi: Annotated[str | None, typer.Option(help="which SEG segment or RTSTRUCT region (pattern)")] = None,
    labels: Annotated[Path | None, typer.Option(help="CSV with the columns patient,label")] = None,
    model: Annotated[str | None, typer.Option(help="recurrence, resnet50, or PATH.keras")] = None,
    preset: Annotated[Preset | None, typer.Option(help="budgets")] = None,
    cases: Annotated[int | None, typer.Option(help="explain at most so many patients")] = None,
    slices: Annotated[Slices | None, typer.Option(help="which slices of a patient")] = None,
    intensity: Annotated[
        Intensity | None, typer.Option(help="raw, or unit: 1st-99th percentile as 0-1")
    ] = None,
    target: Annotated[str | None, typer.Option(help="predicted, true, or a class number")] = None,
    seed: Annotated[int | None, typer.Option(help="seed of every draw")] = None,
    cell_timeout: Annotated[float | None, typer.Option(help="seconds for one method on one case")] = None,
    config: Annotated[
        Path | None, typer.Option(help="YAML file with these settings and `parameters`")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="run folder; the same one goes on")] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="compute failed cells again")] = False,
) -> None:
    """Explain every case by every method, score every heatmap, write tables and the report."""
    given = {name: value for name, value in locals().items() if name in RunSpec.model_fields}
    spec = make_spec(given, config)
    failed = execute(spec, out or default_folder(spec), retry_failed)
    raise typer.Exit(1 if failed else 0)


def execute(spec: RunSpec, out: Path, retry_failed: bool) -> int:
    """Run a spec in a folder, print its leaderboard and the report's path; returns the number of failed cells."""
    registry.select(
        "methods", spec.methods
    )  # a misspelt name is told before the seconds that TensorFlow takes
    registry.select("metrics", spec.metrics)
    with without_import_chatter():
        from xaibench.harness.assemble import assemble
    from xaibench.harness.progress import Voice, progress_bar
    from xaibench.harness.run import Run
    from xaibench.harness.store import RunFolder
    from xaibench.reports import write_reports

    assembly = assemble(spec, Voice(error_console))
    for sentence in [*assembly.problems, *assembly.cohort.notes]:
        _say(sentence)
    for name, fact in assembly.info["model"]["facts"].items():
        _say(f"Model: {name}: {fact}")
    folder = RunFolder(out)
    folder.begin(assembly.info)
    if retry_failed:
        folder.forget_failures()
    job = Run(
        bench=assembly.bench,
        folder=folder,
        cases=assembly.cohort.cases,
        class_names=assembly.cohort.class_names,
        methods=assembly.methods,
        metrics=assembly.metrics,
    )
    with progress_bar(error_console, job.total(), lambda: assembly.bench.classifier.passes) as watch:
        job.execute(watch)
    report = write_reports(folder)
    failed = print_results(folder)
    out_console.print(f"Report: {report}")
    folder.close()
    return failed


def default_folder(spec: RunSpec) -> Path:
    """Folder that the same command finds again: runs/DATASET-MODEL-PRESET-seedN."""
    names = [Path(spec.dataset).name, Path(spec.model).stem, spec.preset.value, f"seed{spec.seed}"]
    return Path("runs") / "-".join(names)


@app.command(epilog="Example: `xaibench report runs/s`")
def report(folder: Annotated[Path, typer.Argument(help="folder of a run")]) -> None:
    """Write tables and report of a run again; needs neither the model nor the images."""
    from xaibench.harness.store import RunFolder
    from xaibench.reports import write_reports

    run_folder = RunFolder.existing(folder)
    path = write_reports(run_folder)
    print_results(run_folder)
    out_console.print(f"Report: {path}")


def print_results(folder: Any) -> int:
    """Print leaderboard and failures of a run; returns the number of failed cells."""
    from xaibench.harness.types import Status
    from xaibench.reports import leaderboard_table

    board = leaderboard_table(folder)
    out_console.print(_table(board.header(), board.rows()))
    failures = [record for record in folder.records() if record.status is Status.FAILED]
    reasons: dict[tuple[str, str], int] = {}
    for record in failures:
        key = (record.method, record.reason)
        reasons[key] = reasons.get(key, 0) + 1
    for (method, reason), count in reasons.items():
        error_console.print(f"[yellow]{count} failed[/] {escape(method)}: {escape(reason)}")
    return len(failures)


# -------------------------------------------------------------------- list


@list_app.command("methods", epilog="Example: `xaibench list methods`")
def list_methods() -> None:
    """Registered explainers: name, family, needs, source, package."""
    plugins, problems = registry.load_all("methods")
    rows = [
        [
            p.name,
            p.cls.family,
            ", ".join(sorted(n.value for n in p.cls.needs)) or "nothing",
            p.cls.source,
            p.package,
        ]
        for p in plugins
    ]
    _print_list(["name", "family", "needs", "source", "package"], rows, problems)


@list_app.command("metrics", epilog="Example: `xaibench list metrics`")
def list_metrics() -> None:
    """Registered metrics: name, family, better, unit, source, package."""
    plugins, problems = registry.load_all("metrics")
    rows = [
        [
            p.name,
            p.cls.family,
            "higher" if p.cls.higher_is_better else "lower",
            p.cls.unit,
            p.cls.source,
            p.package,
        ]
        for p in plugins
    ]
    _print_list(["name", "family", "better", "unit", "source", "package"], rows, problems)


@list_app.command("datasets", epilog="Example: `xaibench list datasets`")
def list_datasets() -> None:
    """Registered datasets: name, what it is, package."""
    plugins, problems = registry.load_all("datasets")
    _print_list(
        ["name", "summary", "package"], [[p.name, p.cls.summary, p.package] for p in plugins], problems
    )


@list_app.command("models", epilog="Example: `xaibench list models`")
def list_models() -> None:
    """Models that --model takes."""
    from xaibench.models.library import SUMMARIES

    _print_list(["name", "summary"], [[name, summary] for name, summary in SUMMARIES.items()], [])


# -------------------------------------------------------------------- data


@data_app.command("make", epilog="Example: `xaibench data make phantom --out cohorts/phantom`")
def data_make(
    name: Annotated[str, typer.Argument(help="phantom or phantom-shortcut")],
    out: Annotated[Path, typer.Option(help="folder to write; must be new or empty")],
    patients: Annotated[int, typer.Option(help="number of patients")] = 28,
    recurrent: Annotated[int, typer.Option(help="how many of them recur")] = 7,
    seed: Annotated[int, typer.Option(help="the same seed gives the same bytes")] = 0,
) -> None:
    """Write a synthetic cohort as DICOM: an MR series and a SEG a patient, and clinical.csv."""
    from xaibench.datasets.phantom import Phantom, PhantomShortcut, make_phantom

    kinds = {"phantom": Phantom, "phantom-shortcut": PhantomShortcut}
    if name not in kinds:
        raise XaibenchError(registry.unknown("cohort to make", name, list(kinds)))
    make_phantom(out, patients, recurrent, seed, shortcut=kinds[name] is PhantomShortcut)
    out_console.print(f"Wrote {patients} patients, {recurrent} of them recurrent: {out}")


@data_app.command("check", epilog="Example: `xaibench data check /data/cervix`")
def data_check(
    folder: Annotated[Path, typer.Argument(help="DICOM folder")],
    series: Annotated[str | None, typer.Option(help="which MR series (pattern)")] = None,
    roi: Annotated[str | None, typer.Option(help="which SEG segment or RTSTRUCT region (pattern)")] = None,
    labels: Annotated[Path | None, typer.Option(help="CSV with the columns patient,label")] = None,
) -> None:
    """Show what would be read of a DICOM folder, and every problem found (exit code 1 if there is one)."""
    from xaibench.datasets.dicom_folder import DicomFolder

    header, rows, problems = DicomFolder(folder, series, labels, roi).check_table()
    out_console.print(_table(header, rows))
    for problem in problems:
        out_console.print(f"- {escape(problem)}")
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
    from xaibench.datasets.idc import fetch, open_index
    from xaibench.datasets.idc_cohorts import default_out, make_plan
    from xaibench.harness.progress import Voice

    index = open_index()
    found = make_plan(name, index, series, recurrence, radiotherapy)
    folder = out or default_out(name)
    for header, rows in found.tables:
        out_console.print(_table(header, rows))
    for sentence in (*found.notes, found.size(), found.left(folder)):
        out_console.print(escape(sentence))
    if not plan:
        fetch(index, found.series, folder, Voice(error_console).track)
        out_console.print(f"Fetched: {escape(str(folder))}")


# -------------------------------------------------------------------- plugin


@plugin_app.command("check", epilog="Example: `xaibench plugin check grad-cam`")
def plugin_check(name: Annotated[str, typer.Argument(help="registered name of a method or metric")]) -> None:
    """Run the contract tests on one method or metric, on a tiny model (exit code 1 if a promise is broken)."""
    plugin = registry.load(_kind_of(name), name)
    with without_import_chatter():
        from xaibench.harness.contract import check, trial
        from xaibench.harness.model import KerasClassifier
        from xaibench.models.tiny import tiny_classifier

    findings = list(check(trial(plugin, KerasClassifier(tiny_classifier()))))
    for finding in findings:
        mark = (
            "[red]broken[/]"
            if finding.problem
            else ("[dim]skipped[/]" if finding.skipped else "[green]kept[/]")
        )
        out_console.print(f"{mark} {finding.check}{_reason(finding.problem or finding.skipped)}")
    broken = sum(bool(finding.problem) for finding in findings)
    out_console.print(f"{name} of {plugin.package}: {len(findings)} promises, {broken} broken.")
    raise typer.Exit(1 if broken else 0)


def _kind_of(name: str) -> Kind:
    kinds: tuple[Kind, ...] = ("methods", "metrics")
    for kind in kinds:
        if name in registry.entries(kind):
            return kind
    known = [*registry.entries("methods"), *registry.entries("metrics")]
    raise XaibenchError(registry.unknown("method or metric", name, known))


# -------------------------------------------------------------------- printing


@contextmanager
def without_import_chatter() -> Iterator[None]:
    """Drop what TensorFlow's C++ part writes to the terminal while it is imported; no setting stops it."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _say(sentence: str) -> None:
    error_console.print(escape(sentence))


def _print_list(header: list[str], rows: list[list[str]], problems: list[str]) -> None:
    out_console.print(_table(header, rows))
    for problem in problems:
        _say(problem)


def _table(header: list[str], rows: list[list[str]]) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for column in header:
        table.add_column(column, no_wrap=column in UNBROKEN, overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    return table


def _reason(text: str) -> str:
    return f": {escape(text)}" if text else ""
