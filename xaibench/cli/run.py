"""`xaibench run` and `xaibench report`."""

from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from xaibench import defaults
from xaibench.cli import options
from xaibench.cli.compare import compare
from xaibench.cli.computing import Computing
from xaibench.cli.progress import ConsoleProgress
from xaibench.cli.terminal import error_console, out_console, table, widest_that_fits, without_import_chatter
from xaibench.harness.shards import WHOLE, Shard
from xaibench.harness.spec import RunSpec, make_spec

if TYPE_CHECKING:
    from xaibench.harness.store.folder import RunFolder
    from xaibench.reports.verdicts.criteria import Judged


def run(
    more: options.More = None,
    methods: options.Methods = None,
    metrics: options.Metrics = None,
    dataset: options.DatasetName = None,
    model: options.ModelName = None,
    preset: options.PresetName = None,
    patients: options.Patients = None,
    slices: options.SliceRule = None,
    intensity: options.IntensityRule = None,
    preprocessing: options.PreprocessingName = None,
    scale: options.Scale = None,
    image_range: options.ImageRange = None,
    mean: options.Mean = None,
    std: options.Std = None,
    target: options.Target = None,
    classes: options.Classes = None,
    concepts: options.Concepts = None,
    seed: options.Seed = None,
    cell_timeout: options.CellTimeout = None,
    config: options.Config = None,
    out: Annotated[Path | None, typer.Option(help="run folder; the same one goes on and grows")] = None,
    retry_failed: options.RetryFailed = False,
    workers: options.WorkerCount = None,
    worker_memory: options.WorkerMemory = None,
    shard: Annotated[
        str | None, typer.Option(help="I/N: the I-th of N shares of the work, for `xaibench merge`")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what it would cost, and stop")] = False,
) -> None:
    """Explain every case by every method, score every heatmap, write tables and the report.

    Further options are those of the dataset and the model: `xaibench list datasets`, `xaibench list models`.
    """
    spec = spec_of(options.of_run(locals()), config)
    folder = out or default_folder(spec)
    if dry_run:
        plan(spec, folder, retry_failed)
        return
    share = Shard.of(shard) if shard else WHOLE
    computing = Computing(retry_failed, workers, worker_memory, share)
    failed = (execute if share == WHOLE else execute_share)(spec, folder, computing)
    raise typer.Exit(1 if failed else 0)


def spec_of(settings: dict[str, object], config: Path | None) -> RunSpec:
    """Spec of flags and config, with the default explainers where neither names any."""
    spec = make_spec(settings, config)
    named = "methods" in spec.model_fields_set
    return spec if named else spec.model_copy(update={"methods": defaults.METHODS})


def plan(spec: RunSpec, out: Path, retry_failed: bool) -> None:
    """Print what a run would still compute in a folder, and what that costs by a short calibration."""
    with without_import_chatter():
        from xaibench.harness.plan import plan_run

    found = plan_run(spec, out, ConsoleProgress(error_console), retry_failed=retry_failed)
    out_console.print(table(found.header(), found.rows()))
    out_console.print(escape(found.summary()))


def execute(spec: RunSpec, out: Path, computing: Computing) -> int:
    """Run a spec in a folder, print its leaderboard and the report's path; returns the number of failed cells."""
    from xaibench.reports import study_path, write_reports

    folder = computing(spec, out)
    report = write_reports(folder)
    failed = print_results(folder)
    out_console.print(f"Report: {escape(str(report))}")
    if study := study_path(folder):
        out_console.print(f"Study: {escape(str(study))}")
    folder.close()
    return failed


def execute_share(spec: RunSpec, out: Path, computing: Computing) -> int:
    """Run a share of a spec, and say how to go on; returns the number of failed cells."""
    with closing(computing(spec, out)) as folder:
        failed = print_failures(folder)
    shown = escape(str(out))
    out_console.print(
        f"Share {computing.shard.index} of {computing.shard.count} is in {shown}. When all are computed, join them "
        f"with `xaibench merge DIR... --out DIR`, and give that folder as --out to this command without --shard."
    )
    return failed


def default_folder(spec: RunSpec) -> Path:
    """Folder that the same command finds again: runs/DATASET-MODEL-PRESET-seedN."""
    names = [Path(spec.dataset).name, Path(spec.model).stem, spec.preset.value, f"seed{spec.seed}"]
    return Path("runs") / "-".join(names)


def report(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="DIR...", help="folder of a run; further ones are compared with it"),
    ],
    criteria: Annotated[
        Path | None, typer.Option(help="YAML file of thresholds  [default: the shipped ones]")
    ] = None,
    require: Annotated[
        str | None, typer.Option(help="scenario that must be met; exit code 1 if it is not")
    ] = None,
    single_file: Annotated[
        bool,
        typer.Option("--single-file", help="pictures inside report.html up to 64 MB; by default up to 8"),
    ] = False,
) -> None:
    """Write tables and report of a run again; needs neither the model nor the images."""
    from xaibench.harness.store.folder import RunFolder
    from xaibench.reports import judge_run, write_reports

    run_folder = RunFolder.existing(folders[0])
    judged = judge_run(run_folder, criteria) if criteria or require else None
    met = judged is None or require is None or judged.passes(require)  # a misspelt scenario is told first
    path = write_reports(run_folder, single_file)
    print_results(run_folder)
    out_console.print(f"Report: {escape(str(path))}")
    if judged:
        print_judged(judged, require)
    if len(folders) > 1:
        compare(folders)
    raise typer.Exit(0 if met else 1)


def print_judged(judged: "Judged", required: str | None) -> None:
    """Print what became of each threshold, and who meets the required scenario."""
    from xaibench.reports.verdicts.criteria import HEADER

    out_console.print(table(HEADER, judged.rows(required)))
    for scenario in [required] if required else judged.scenarios:
        passing = ", ".join(judged.passing(scenario)) or "no explainer"
        word = "met" if judged.passes(scenario) else "not met"
        out_console.print(escape(f"{scenario}: {word}; every criterion is passed by {passing}."))


def print_results(folder: "RunFolder") -> int:
    """Print leaderboard and failures of a run; returns the number of failed cells."""
    from xaibench.reports import leaderboard_table

    board = leaderboard_table(folder)
    out_console.print(widest_that_fits(table(*board.narrow()), table(*board.narrow(families=False))))
    return print_failures(folder)


def print_failures(folder: "RunFolder") -> int:
    """Print which cells failed and why; returns their number."""
    failed = folder.failed()
    for (method, reason), count in Counter((record.method, record.reason) for record in failed).items():
        error_console.print(f"[yellow]{count} failed[/] {escape(method)}: {escape(reason)}")
    return len(failed)
