"""Options that several commands share, and those that belong to a dataset or a model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from xaibench import defaults
from xaibench.api import Intensity, XaibenchError
from xaibench.harness.spec import Preset, RunSpec, Slices

OPEN = {"ignore_unknown_options": True}
"""Context of a command that takes the options of its dataset and its model as well."""

More = Annotated[
    list[str] | None,
    typer.Argument(metavar="[--OPTION VALUE]...", help="options of the dataset and the model"),
]
"""Options that the command does not declare itself."""
Methods = Annotated[
    str | None, typer.Option(help=f"all, names by commas, family:cam  [default: {defaults.METHODS}]")
]
Metrics = Annotated[str | None, typer.Option(help="all, names by commas, family:robustness  [default: all]")]
DatasetName = Annotated[
    str | None, typer.Option("--dataset", help="registered cohort or a path  [default: phantom]")
]
ModelName = Annotated[
    str | None, typer.Option("--model", help="registered model, or a path to one  [default: recurrence]")
]
PresetName = Annotated[Preset | None, typer.Option("--preset", help="budgets  [default: standard]")]
Patients = Annotated[
    int | None,
    typer.Option("--patients", help="at most so many patients, the classes in turn  [default: all]"),
]
SliceRule = Annotated[
    Slices | None,
    typer.Option("--slices", help="which slices of a patient are explained  [default: largest-mask]"),
]
IntensityRule = Annotated[
    Intensity | None,
    typer.Option(
        "--intensity", help="raw, or unit: 1st-99th percentile as 0-1  [default: as trained, else raw]"
    ),
]
PreprocessingName = Annotated[
    str | None, typer.Option("--preprocessing", help="tf, torch, caffe, or a model of keras.applications")
]
Scale = Annotated[str | None, typer.Option(help="what the image range becomes for the model, such as -1:1")]
ImageRange = Annotated[
    str | None, typer.Option(help="lowest and highest pixel  [default: 0:255; 0:1 if --intensity unit]")
]
Mean = Annotated[str | None, typer.Option(help="subtracted after scaling: a number, or one a channel")]
Std = Annotated[str | None, typer.Option(help="divided by after that: a number, or one a channel")]
Target = Annotated[
    str | None,
    typer.Option(
        help="explained class: predicted, true, finding, all, a name or a number  [default: predicted]"
    ),
]
Classes = Annotated[str | None, typer.Option(help="names of the model's outputs, in their order, by commas")]
Concepts = Annotated[
    str | None, typer.Option(help="cohort whose classes are concepts, for tcav  [default: the dataset's own]")
]
Seed = Annotated[int | None, typer.Option(help="seed of every draw  [default: 0]")]
CellTimeout = Annotated[float | None, typer.Option(help="seconds for one method on one case  [default: 300]")]
Config = Annotated[Path | None, typer.Option(help="YAML file with these settings and `parameters`")]
WorkerCount = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=0,
        envvar="XAIBENCH_WORKERS",
        help="processes that compute; 0 = this one alone  [default: one a core, as memory allows]",
    ),
]
WorkerMemory = Annotated[
    float | None,
    typer.Option(
        help="GiB that a worker may take before it is killed  [default: 80 % of the machine's, shared]"
    ),
]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="compute failed cells again")]

Backbone = Annotated[str, typer.Option(help="compact (128 px) or resnet50 (224 px)")]
Weights = Annotated[
    str | None, typer.Option(help="imagenet, none or a file; default: pretext for compact, else imagenet")
]
FoldCount = Annotated[int, typer.Option("--folds", help="folds of the cross-validation, by patient")]
Permutations = Annotated[int, typer.Option(help="label permutations of the shuffle test")]
Hidden = Annotated[int, typer.Option(help="units of a hidden dense layer; 0 = none")]
FineTune = Annotated[int, typer.Option(help="last blocks of the backbone to unfreeze")]
PatientScore = Annotated[str, typer.Option(help="a patient's score: mean or max over the slices")]
MaskShare = Annotated[float, typer.Option(help="train on slices with this share of the largest area")]
TrainingSeeds = Annotated[
    int, typer.Option("--training-seeds", help="trainings of the study, each with another seed")
]


def of_sources(arguments: Sequence[str]) -> dict[str, Any]:
    """Options that no command declares, `--series X` or `--series=X`; whose they are is checked with the sources.

    Raises XaibenchError for a word that belongs to no option.
    """
    found: dict[str, Any] = {}
    words = iter(arguments)
    for word in words:
        if not word.startswith("--"):
            raise XaibenchError(f"{word!r} belongs to no option; see --help.")
        name, equals, value = word.removeprefix("--").partition("=")
        if not equals:
            value = next(words, "")
            if not value:
                raise XaibenchError(f"--{name} needs a value; write --{name} VALUE.")
        found[name.replace("-", "_")] = value
    return found


def of_run(given: dict[str, Any]) -> dict[str, Any]:
    """Settings of a run among the arguments of a command."""
    settings = {name: value for name, value in given.items() if name in RunSpec.model_fields}
    return {**settings, "options": of_sources(given["more"] or ())}
