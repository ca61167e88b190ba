"""`run.json`: what was run on what, typed and versioned."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from xaibench.api import API_VERSION, HeldOut

FORMAT: Literal[1] = 1
COHORT = "cohort"
"""Unit and patient of a figure of several cases together."""


class Part(BaseModel):
    """A part of run.json: unknown fields are refused, nothing changes once made."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Scope(StrEnum):
    """What a metric scores."""

    CASE = "case"
    """One explanation of one case."""
    BATCH = "batch"
    """Several cases explained together."""
    CLASS = "class"
    """The explanation of a class of the cohort."""


class MethodInfo(Part):
    """An explainer of the run."""

    key: str
    """Hash of name, code, parameters and contract version."""
    package: str
    """Name and version."""
    code: str
    """Hash of its source."""
    parameters: Mapping[str, Any]
    family: str
    needs: tuple[str, ...]
    source: str
    summary: str = ""
    """First sentence of its docstring."""

    @property
    def is_control(self) -> bool:
        """Whether it never asks what the model decides, or knows the answer."""
        return self.family == "control"


class MetricInfo(Part):
    """A metric of the run."""

    key: str
    package: str
    code: str
    parameters: Mapping[str, Any]
    family: str
    higher_is_better: bool
    range: tuple[float | None, float | None]
    """None stands for an infinite bound."""
    unit: str
    source: str
    needs: tuple[str, ...]
    chance: str
    aggregate: Literal["mean", "median", "share"]
    ranked: str
    """The fact it stands for in the ranks; empty = shown, not ranked."""
    scope: Scope
    summary: str = ""
    at_most_patients: int | None = None
    """Largest number of patients it was computed for, so that a run ends in time; None = all."""

    @property
    def bounds(self) -> tuple[float, float]:
        """Lowest and highest possible value."""
        low, high = self.range
        return (-math.inf if low is None else low, math.inf if high is None else high)


class CaseInfo(Part):
    """A case of the run."""

    id: str
    patient: str
    labels: tuple[int, ...]
    target: int
    """The explained class."""
    scores: tuple[float, ...]
    """Class probabilities of the image as it is."""
    fold: int | None = None
    """Classifier that explains it; None for a single model."""
    key: str
    """Hash of image, region, labels, spacing, target, classifier and seed."""
    region_pixels: int | None = None
    """Size of the annotated region; None where nobody annotated."""
    copy_of: str = ""
    """The case as it is without the explained class, where it is explained for several; else empty."""

    @property
    def image(self) -> str:
        """What cases of the same image share."""
        return self.copy_of or self.id

    @property
    def predicted(self) -> int:
        """The class with the highest probability."""
        return max(range(len(self.scores)), key=self.scores.__getitem__)


class ModelInfo(Part):
    """The model of the run."""

    name: str
    key: str
    """Hash of all classifiers."""
    class_names: tuple[str, ...]
    """Names of its outputs."""
    input_shape: tuple[int, ...]
    offers: tuple[str, ...]
    exclusive: bool = True
    facts: Mapping[str, str] = {}
    record: Mapping[str, Any] = {}
    """How it was trained and validated, where that is known."""
    held_out: HeldOut = HeldOut.UNKNOWN


class CohortInfo(Part):
    """The cohort of the run."""

    name: str
    key: str
    """Hash of all cases."""
    class_names: tuple[str, ...]
    """Names of the labels."""
    region_name: str = "region"
    cases: tuple[CaseInfo, ...]
    notes: tuple[str, ...] = ()

    @property
    def patients(self) -> tuple[str, ...]:
        """Pseudonyms of the patients, sorted."""
        return tuple(sorted({case.patient for case in self.cases}))

    @cached_property
    def case_keys(self) -> Mapping[str, str]:
        """Key of each case by name."""
        return {case.id: case.key for case in self.cases}


class Machine(Part):
    """Where it ran; nothing that names the user or the host."""

    cpu: str
    cores: int
    memory_gib: float
    system: str
    python: str


class Request(Part):
    """What was asked for, and when."""

    at: datetime
    spec: Mapping[str, Any]
    """The settings, paths shown by kind or name."""


class RunInfo(Part):
    """All that a report needs to know besides the records."""

    format: Literal[1] = FORMAT
    api_version: int = API_VERSION
    spec: Mapping[str, Any]
    """The settings of the latest command, paths shown by kind or name."""
    methods: Mapping[str, MethodInfo]
    metrics: Mapping[str, MetricInfo]
    model: ModelInfo
    cohort: CohortInfo
    machine: Machine
    versions: Mapping[str, str]
    problems: tuple[str, ...] = ()
    """Sentences on plugins that could not be loaded."""
    history: tuple[Request, ...] = Field(default=())
    """Every command that ran in this folder, the latest last."""

    def competitors(self) -> list[str]:
        """Explainers that are no controls, sorted."""
        return [name for name, method in sorted(self.methods.items()) if not method.is_control]

    def controls(self) -> list[str]:
        """Controls, sorted."""
        return [name for name, method in sorted(self.methods.items()) if method.is_control]


def now() -> datetime:
    """Date and time of a request, in whole seconds of UTC."""
    return datetime.now(UTC).replace(microsecond=0)
