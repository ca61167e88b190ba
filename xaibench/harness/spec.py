"""What to run: one validated object, from flags and a YAML file."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError

from xaibench.api import Intensity, XaibenchError, unknown


class Preset(StrEnum):
    """Budgets: quick look, sound comparison, published settings."""

    SMOKE = "smoke"
    STANDARD = "standard"
    PAPER = "paper"


class Slices(StrEnum):
    """Which slices of a patient are explained."""

    LARGEST_MASK = "largest-mask"
    HIGHEST_SCORE = "highest-score"
    HIGHEST_MAP = "highest-map"
    ALL = "all"


MOST_PATIENTS = {Preset.SMOKE: 4}
"""Patients of a preset, unless their number is given; all where none stands."""
MOST_EXPLAINED_AGAIN = {Preset.SMOKE: 2, Preset.STANDARD: 6}
"""Patients for metrics that explain again: some twenty explanations each."""
MOST_TIMED = 8
"""Patients for figures of time."""


class RunSpec(BaseModel):
    """Everything that decides what is computed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    methods: str = "all"
    metrics: str = "all"
    dataset: str = "phantom"
    """Name of a registered dataset, or a path."""
    model: str = "recurrence"
    """Name of a registered model, or a path."""
    options: Mapping[str, Any] = {}
    """Fields of the dataset and of the model, such as `series` of a DICOM folder."""
    concepts: str | None = None
    """Name or path of a cohort whose classes are concepts; None = the dataset's own, if it has any."""
    preset: Preset = Preset.STANDARD
    patients: PositiveInt | None = None
    """At most so many patients, the classes in turn; None = all (4 in the smoke preset)."""
    slices: Slices = Slices.LARGEST_MASK
    intensity: Intensity | None = None
    """None = as the model was trained, where that is known, else raw."""
    preprocessing: str | None = None
    """How ImageNet models take images of 0 .. 255: tf, torch or caffe, or the name of one of keras.applications."""
    scale: str | None = None
    """`LOW:HIGH`, what the ends of the image range become before the model; None = pixels stay as they are."""
    image_range: str | None = None
    """`LOW:HIGH` of the images; None = 0:1 where intensities are unit, else 0:255."""
    mean: str | None = None
    """Subtracted after scaling: one number, or one a channel, separated by commas."""
    std: str | None = None
    """Divided by after that: one number, or one a channel, separated by commas."""
    target: str = "predicted"
    """The explained class: predicted, true, finding, all, or a class's number or name."""
    classes: str | None = None
    """Names of the model's outputs in their order, separated by commas; None = as the model says."""
    seed: int = Field(default=0, ge=0)
    cell_timeout: PositiveFloat = Field(default=300.0, allow_inf_nan=False)
    """Seconds that one method may take on one case."""
    parameters: Mapping[str, Mapping[str, Any]] = {}
    """Fields of methods and metrics by name; they go before the preset's."""

    @property
    def most_patients(self) -> int | None:
        """Largest number of patients; None = all."""
        return self.patients or MOST_PATIENTS.get(self.preset)


def make_spec(flags: Mapping[str, Any], config: Path | None = None) -> RunSpec:
    """Build the spec from a YAML file and the flags that were given (they win). Raises XaibenchError."""
    values = read_config(config) if config else {}
    given = {name: value for name, value in flags.items() if value is not None}
    options = {**(values.get("options") or {}), **given.pop("options", {})}
    try:
        return RunSpec(**values | given | {"options": options})
    except ValidationError as error:
        raise XaibenchError(_sentence(error)) from error


def read_config(path: Path) -> dict[str, Any]:
    """Values of a YAML file. Raises XaibenchError if it is not a mapping."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise XaibenchError(f"{path} cannot be read as YAML: {' '.join(str(error).split())}.") from error
    if not isinstance(values, dict):
        raise XaibenchError(f"{path} must hold one mapping such as `preset: smoke`.")
    return {str(key).replace("-", "_"): value for key, value in values.items()}


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    name = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        return unknown("setting", name, list(RunSpec.model_fields))
    return f"{name} = {first['input']!r} does not fit: {first['msg'].lower()}."
