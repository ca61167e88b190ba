"""`xaibench train` and `xaibench study`: Provenzano et al. 2025 on any cohort."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from xaibench.api import Dataset, Intensity, NotApplicable, Silent
from xaibench.cli import options
from xaibench.cli.computing import Computing
from xaibench.cli.run import execute, spec_of
from xaibench.cli.terminal import error_console, out_console, table, without_import_chatter
from xaibench.harness.configured import check_options, find_source
from xaibench.harness.prepare import choose_plugins
from xaibench.harness.spec import RunSpec, make_spec

if TYPE_CHECKING:
    from xaibench.models.model_folder import ModelFolder
    from xaibench.models.plan import Plan

GENERATOR, RECOGNITION = "stacked-feature-maps", "class-consistency"
"""The paper's generator of simulated images, and whether the models see the class in them."""


def train(
    more: options.More = None,
    dataset: options.DatasetName = None,
    intensity: options.IntensityRule = None,
    mask_share: options.MaskShare = 0.5,
    backbone: options.Backbone = "compact",
    weights: options.Weights = None,
    folds: options.FoldCount = 5,
    permutations: options.Permutations = 100,
    hidden: options.Hidden = 0,
    fine_tune: options.FineTune = 0,
    patient_score: options.PatientScore = "mean",
    seed: options.Seed = None,
    config: options.Config = None,
    out: Annotated[Path | None, typer.Option(help="model folder; the same one goes on")] = None,
) -> None:
    """Train by transfer learning, cross-validate by patient, and test against shuffled labels.

    Further options are those of the dataset: `xaibench list datasets`.
    """
    given = locals()
    spec = make_spec(options.of_run(given), config)
    folder = train_folder(spec, given, out or Path("models") / f"{Path(spec.dataset).name}-{backbone}")
    shown = escape(str(folder.path))
    out_console.print(f"Model: {shown}  (explain with `xaibench run --model {shown}`)")


def study(
    more: options.More = None,
    dataset: options.DatasetName = None,
    intensity: options.IntensityRule = None,
    mask_share: options.MaskShare = 0.5,
    backbone: options.Backbone = "compact",
    weights: options.Weights = None,
    folds: options.FoldCount = 5,
    permutations: options.Permutations = 100,
    hidden: options.Hidden = 0,
    fine_tune: options.FineTune = 0,
    patient_score: options.PatientScore = "mean",
    training_seeds: options.TrainingSeeds = 10,
    methods: options.Methods = None,
    metrics: options.Metrics = None,
    preset: options.PresetName = None,
    patients: options.Patients = None,
    slices: options.SliceRule = None,
    target: options.Target = None,
    seed: options.Seed = None,
    cell_timeout: options.CellTimeout = None,
    config: options.Config = None,
    out: Annotated[Path | None, typer.Option(help="study folder; the same one goes on")] = None,
    retry_failed: options.RetryFailed = False,
    workers: options.WorkerCount = None,
    worker_memory: options.WorkerMemory = None,
) -> None:
    """Train, validate, shuffle, generate the simulated images, compare all explainers, and write it up.

    Further options are those of the dataset: `xaibench list datasets`.
    """
    given = locals()
    spec = spec_of(options.of_run(given), config)
    choose_plugins(spec)  # a misspelt name is told before the minutes of a training
    folder = out or Path("runs") / f"study-{Path(spec.dataset).name}-{backbone}"
    model = train_folder(spec, given, folder / "model")
    repeat_training(spec, given, model)
    computing = Computing(retry_failed, workers, worker_memory)
    failed = execute(spec.model_copy(update={"model": str(model.path)}), folder, computing)
    raise typer.Exit(1 if failed else 0)


def train_folder(spec: RunSpec, given: dict[str, Any], out: Path) -> "ModelFolder":
    """Train what the options say, or go on with it, and print the figures."""
    with without_import_chatter():
        from xaibench.cli.progress import ConsoleProgress
        from xaibench.models.transfer import train_dataset

    dataset, progress = dataset_of(spec), ConsoleProgress(error_console)
    folder = train_dataset(dataset, plan_of(spec, given), out, progress)
    print_training(folder.read("metrics.json"))
    out_console.print(f"Training: {write_page(folder)}")
    return folder


def write_page(folder: "ModelFolder") -> Path:
    """Write the page on a training; returns its path."""
    from xaibench.reports import training_page

    names = folder.read("folds.json")["class_names"]
    return folder.write_text("training.html", training_page(names, folder.record()))


def repeat_training(spec: RunSpec, given: dict[str, Any], folder: "ModelFolder") -> None:
    """Train again with other seeds, and let each training's models judge the images that are simulated from them."""
    if given["training_seeds"] < 2:
        return
    with without_import_chatter():
        from xaibench.cli.progress import ConsoleProgress
        from xaibench.harness.judging import by_other_classifiers
        from xaibench.harness.prepare import prepare
        from xaibench.models.seeds import dataset_over_seeds

    progress = ConsoleProgress(error_console)
    judged = {"model": str(folder.path), "methods": GENERATOR, "metrics": RECOGNITION}
    judge = by_other_classifiers(prepare(spec.model_copy(update=judged), Silent()))
    try:
        dataset_over_seeds(
            dataset_of(spec), plan_of(spec, given), folder, progress, given["training_seeds"], judge
        )
    except NotApplicable as reason:
        progress.say(f"No other training seeds: {reason}.")
    write_page(folder)


def plan_of(spec: RunSpec, given: dict[str, Any]) -> "Plan":
    """Plan of a training, from the options of the command and those it shares with a run."""
    from xaibench.models.plan import Plan

    shared: dict[str, Any] = {"seed": spec.seed, "intensity": spec.intensity or Intensity.RAW}
    own = {name: given[name] for name in Plan.__dataclass_fields__ if name not in shared}
    return Plan(**own, **shared)


def dataset_of(spec: RunSpec) -> Dataset:
    """Open the dataset that a spec names, with its options."""
    source = find_source(["datasets"], spec.dataset)
    check_options(spec.options, [source])
    made: Dataset = source.make(spec.options)
    return made


def print_training(metrics: dict[str, Any]) -> None:
    """Print the held-out figures, pooled over the folds, and the p-value."""
    pooled = metrics["pooled"]
    names = [name for name, entry in pooled["patient"].items() if isinstance(entry, dict) and "low" in entry]
    rows = [[name, _interval(pooled["patient"][name]), _interval(pooled["slice"][name])] for name in names]
    people, slices = pooled["patient"]["n"], pooled["slice"]["n"]
    out_console.print(table(["held out", f"{people} patients", f"{slices} slices"], rows))
    test = metrics["shuffle_test"]
    headline = test.get(test["headline"])
    if headline:
        sentence = (
            f"Shuffle test: p = {headline['p']:.4g} ({test['permutations']} permutations; accuracy of shuffled "
            f"labels {headline['null_mean']:.2f} on average, {headline['null_max']:.2f} at most)."
        )
        out_console.print(escape(sentence))


def _interval(entry: dict[str, Any]) -> str:
    if entry["value"] is None:
        return "undefined"
    if entry["low"] is None:
        return f"{entry['value']:.3f}"
    return f"{entry['value']:.3f} [{entry['low']:.3f}, {entry['high']:.3f}]"
