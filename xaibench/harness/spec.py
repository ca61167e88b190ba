"""What to run: one validated object, from flags and a YAML file."""

from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError

from xaibench.api import XaibenchError
from xaibench.harness.registry import unknown


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


class Intensity(StrEnum):
    """Intensities given to the model: as in the file, or the 1st to 99th percentile of each slice as 0 to 1."""

    RAW = "raw"
    UNIT = "unit"


SMOKE_CASES = 4


class RunSpec(BaseModel):
    """Everything that decides the numbers of a run; stands in run.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    methods: str = "all"
    metrics: str = "all"
    dataset: str = "phantom"
    series: str | None = None
    roi: str | None = None
    labels: Path | None = None
    model: str = "recurrence"
    preset: Preset = Preset.STANDARD
    cases: PositiveInt | None = None
    """At most so many patients, the classes in turn; None = all (4 in the smoke preset)."""
    slices: Slices = Slices.LARGEST_MASK
    intensity: Intensity = Intensity.RAW
    target: str = Field("predicted", pattern=r"^(predicted|true|\d+)$")
    """The explained class: the predicted one, the true one, or a number."""
    seed: int = Field(0, ge=0)
    cell_timeout: PositiveFloat = 300.0
    """Seconds that one method may take on one case."""
    parameters: dict[str, dict[str, Any]] = {}
    """Fields of methods, metrics and the dataset by name; they go before the preset's."""

    @property
    def patients(self) -> int | None:
        """Largest number of patients; None = all."""
        return self.cases or (SMOKE_CASES if self.preset is Preset.SMOKE else None)


def make_spec(flags: dict[str, Any], config: Path | None = None) -> RunSpec:
    """Build the spec from a YAML file and the flags that were given (they win). Raises XaibenchError."""
    values = read_config(config) if config else {}
    values |= {name: value for name, value in flags.items() if value is not None}
    try:
        return RunSpec(**values)
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


def configured(cls: Any, name: str, spec: RunSpec) -> Any:
    """Make a method or metric with the preset's budgets, the spec's parameters before them, and the run's seed.

    Raises XaibenchError for a parameter it does not have.
    """
    values = dict(getattr(cls, "presets", {}).get(spec.preset.value, {})) | parameters_of(cls, name, spec)
    if "seed" in getattr(cls, "__dataclass_fields__", {}):
        values.setdefault("seed", spec.seed)
    return cls(**values)


def parameters_of(cls: Any, name: str, spec: RunSpec) -> dict[str, Any]:
    """Parameters that the spec gives a plugin. Raises XaibenchError for one that it does not have."""
    fields = getattr(cls, "__dataclass_fields__", {})
    given = spec.parameters.get(name, {})
    for key in given:
        if key not in fields:
            raise XaibenchError(unknown(f"parameter of {name}", key, list(fields)))
    return given
