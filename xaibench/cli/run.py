"""`xaibench run` and `xaibench report`."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from xaibench.cli import options
from xaibench.cli.terminal import error_console, out_console, say, table, without_import_chatter
from xaibench.harness import registry
from xaibench.harness.spec import RunSpec, make_spec


def run(
    methods: options.Methods = None,
    metrics: options.Metrics = None,
    dataset: options.DatasetName = None,
    series: options.Series = None,
    roi: options.Roi = None,
    labels: options.Labels = None,
    model: Annotated[
        str | None, typer.Option(help="recurrence, resnet50, PATH.keras, or the folder that `train` wrote")
    ] = None,
    preset: options.PresetName = None,
    cases: Annotated[int | None, typer.Option(help="explain at most so many patients")] = None,
    slices: options.SliceRule = None,
    intensity: options.IntensityRule = None,
    target: options.Target = None,
    seed: options.Seed = None,
    cell_timeout: options.CellTimeout = None,
    config: options.Config = None,
    out: Annotated[Path | None, typer.Option(help="run folder; the same one goes on")] = None,
    retry_failed: options.RetryFailed = False,
) -> None:
    """Explain every case by every method, score every heatmap, write tables and the report."""
    given = {name: value for name, value in locals().items() if name in RunSpec.model_fields}
    spec = make_spec(given, config)
    failed = execute(spec, out or default_folder(spec), retry_failed)
    raise typer.Exit(1 if failed else 0)


def execute(spec: RunSpec, out: Path, retry_failed: bool) -> int:
    """Run a spec in a folder, print its leaderboard and the report's path; returns the number of failed cells."""
    check_names(spec)
    with without_import_chatter():
        from xaibench.harness.prepare import assemble
    from xaibench.cli.progress import Voice, progress_bar
    from xaibench.harness.run import Run
    from xaibench.harness.store.folder import RunFolder
    from xaibench.reports import study_path, write_reports

    assembly = assemble(spec, Voice(error_console))
    for sentence in [*assembly.problems, *assembly.cohort.notes]:
        say(sentence)
    for name, fact in assembly.info["model"]["facts"].items():
        say(f"Model: {name}: {fact}")
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
    with progress_bar(error_console, job.total(), lambda: assembly.bench.passes) as watch:
        job.execute(watch)
    report = write_reports(folder)
    failed = print_results(folder)
    out_console.print(f"Report: {report}")
    if study := study_path(folder):
        out_console.print(f"Study: {study}")
    folder.close()
    return failed


def check_names(spec: RunSpec) -> None:
    """Tell a misspelt method or metric before the seconds of TensorFlow, or the minutes of a training."""
    registry.select("methods", spec.methods)
    registry.select("metrics", spec.metrics)


def default_folder(spec: RunSpec) -> Path:
    """Folder that the same command finds again: runs/DATASET-MODEL-PRESET-seedN."""
    names = [Path(spec.dataset).name, Path(spec.model).stem, spec.preset.value, f"seed{spec.seed}"]
    return Path("runs") / "-".join(names)


def report(folder: Annotated[Path, typer.Argument(help="folder of a run")]) -> None:
    """Write tables and report of a run again; needs neither the model nor the images."""
    from xaibench.harness.store.folder import RunFolder
    from xaibench.reports import write_reports

    run_folder = RunFolder.existing(folder)
    path = write_reports(run_folder)
    print_results(run_folder)
    out_console.print(f"Report: {path}")


def print_results(folder: Any) -> int:
    """Print leaderboard and failures of a run; returns the number of failed cells."""
    from xaibench.api import Status
    from xaibench.reports import leaderboard_table

    board = leaderboard_table(folder)
    out_console.print(table(board.header(), board.rows()))
    failures = [record for record in folder.records() if record.status is Status.FAILED]
    reasons: dict[tuple[str, str], int] = {}
    for record in failures:
        key = (record.method, record.reason)
        reasons[key] = reasons.get(key, 0) + 1
    for (method, reason), count in reasons.items():
        error_console.print(f"[yellow]{count} failed[/] {escape(method)}: {escape(reason)}")
    return len(failures)
