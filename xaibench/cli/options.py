"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from xaibench.harness.spec import Intensity, Preset, Slices

Methods = Annotated[str | None, typer.Option(help="all, names by commas, family:cam")]
Metrics = Annotated[str | None, typer.Option(help="all, names by commas, family:robustness")]
DatasetName = Annotated[str | None, typer.Option("--dataset", help="registered cohort or DICOM folder")]
Series = Annotated[str | None, typer.Option(help="which MR series of a DICOM folder (pattern)")]
Roi = Annotated[str | None, typer.Option(help="which SEG segment or RTSTRUCT region (pattern)")]
Labels = Annotated[Path | None, typer.Option(help="CSV with the columns patient,label")]
PresetName = Annotated[Preset | None, typer.Option("--preset", help="budgets")]
SliceRule = Annotated[Slices | None, typer.Option("--slices", help="which slices of a patient are explained")]
IntensityRule = Annotated[
    Intensity | None, typer.Option("--intensity", help="raw, or unit: 1st-99th percentile as 0-1")
]
Target = Annotated[str | None, typer.Option(help="predicted, true, or a class number")]
Seed = Annotated[int | None, typer.Option(help="seed of every draw")]
CellTimeout = Annotated[float | None, typer.Option(help="seconds for one method on one case")]
Config = Annotated[Path | None, typer.Option(help="YAML file with these settings and `parameters`")]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="compute failed cells again")]

Backbone = Annotated[str, typer.Option(help="compact (128 px) or resnet50 (224 px)")]
Weights = Annotated[
    str | None, typer.Option(help="imagenet, none or a file; default: pretext for compact, else imagenet")
]
Folds = Annotated[int, typer.Option(help="folds of the cross-validation, by patient")]
Permutations = Annotated[int, typer.Option(help="label permutations of the shuffle test")]
Hidden = Annotated[int, typer.Option(help="units of a hidden dense layer; 0 = none")]
FineTune = Annotated[int, typer.Option(help="last blocks of the backbone to unfreeze")]
PatientScore = Annotated[str, typer.Option(help="a patient's score: mean or max over her slices")]
MaskShare = Annotated[float, typer.Option(help="train on slices with this share of the largest area")]
