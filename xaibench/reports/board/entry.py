"""An entry of a board: what one run publishes. It never changes, and its name is the hash of its content."""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, StringConstraints, field_validator

from xaibench.api import Status
from xaibench.harness.declared import NAME
from xaibench.harness.store.run_info import CohortInfo, Machine, MethodInfo, MetricInfo, ModelInfo, Part
from xaibench.reports.board.every_eval_ever import (
    ClassifierInfo,
    DetailedResults,
    EvalLibrary,
    EvaluationResult,
    SourceMetadata,
)

ENTRY_VERSION: Literal[1] = 1
EVERY_EVAL_EVER: Literal["0.3.0"] = "0.3.0"
Described = TypeVar("Described", MethodInfo, MetricInfo)
DIGITS = 32
"""Hexadecimal digits of the hash that names an entry."""

Name = Annotated[str, StringConstraints(pattern=f"^{NAME.pattern}$", max_length=64)]
"""Name of a method or metric: letters, digits and + - _ ., so that it can stand anywhere."""
Pseudonym = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9 _.-]+$", max_length=80)]


class PublishedCase(Part):
    """A case, by what its image is."""

    id: Pseudonym
    patient: Pseudonym
    labels: tuple[int, ...]
    target: int
    """The explained class."""
    scores: tuple[float, ...] = Field(min_length=1)
    """Class probabilities of the image."""
    key: str
    """Hash of image, region, labels, spacing and explained class."""
    region_pixels: int | None = None


class PublishedCohort(Part):
    """The cases of a run."""

    name: str
    key: str
    """Hash of all cases."""
    class_names: tuple[str, ...]
    region_name: str
    cases: tuple[PublishedCase, ...] = Field(min_length=1)

    @field_validator("cases")
    @classmethod
    def _with_as_many_scores(cls, cases: tuple[PublishedCase, ...]) -> tuple[PublishedCase, ...]:
        if len({len(case.scores) for case in cases}) > 1:
            raise ValueError("the cases have different numbers of class probabilities")
        return cases

    def as_run(self) -> CohortInfo:
        """Describe it as a run does."""
        return CohortInfo(**self.model_dump())

    @property
    def patients(self) -> tuple[str, ...]:
        """Pseudonyms of the patients, sorted."""
        return self.as_run().patients


class Section(Part):
    """What xaibench needs to rank and to verify: the typed facts of `run.json`, without what could identify."""

    entry_version: Literal[1] = ENTRY_VERSION
    api_version: int
    spec: Mapping[str, Any]
    """Settings of the run; what was a path is a kind or a name."""
    methods: Mapping[Name, MethodInfo] = Field(min_length=1)
    metrics: Mapping[Name, MetricInfo] = Field(min_length=1)
    model: ModelInfo
    cohort: PublishedCohort
    """Pseudonyms and fingerprint follow from the content of the images alone (see pseudonyms)."""
    machine: Machine
    versions: Mapping[str, str]

    @field_validator("spec")
    @classmethod
    def _with_a_seed(cls, spec: Mapping[str, Any]) -> Mapping[str, Any]:
        if not isinstance(spec.get("seed"), int):
            raise ValueError("the seed is no whole number")
        return spec

    @field_validator("methods", "metrics")
    @classmethod
    def _with_packages(cls, described: Mapping[str, Described]) -> Mapping[str, Described]:
        if not all(facts.package.strip() for facts in described.values()):
            raise ValueError("a method or metric names no package")
        return described

    @property
    def seed(self) -> int:
        """Seed of the run."""
        return int(self.spec["seed"])


class Entry(Part):
    """One run, published."""

    schema_version: Literal["0.3.0"] = EVERY_EVAL_EVER
    """Of Every Eval Ever; that of xaibench's own section is `xaibench.entry_version`."""
    evaluation_id: str
    evaluation_timestamp: str
    """When this specification was first run, in UTC."""
    retrieved_timestamp: str
    """The same in seconds since 1970."""
    source_metadata: SourceMetadata = SourceMetadata()
    eval_library: EvalLibrary
    model_info: ClassifierInfo
    evaluation_results: tuple[EvaluationResult, ...]
    detailed_evaluation_results: DetailedResults
    xaibench: Section

    def text(self) -> str:
        """JSON of the entry, the same for the same content."""
        shared = self.model_dump(mode="json", exclude={"xaibench"}, exclude_none=True)
        return canonical({**shared, "xaibench": self.xaibench.model_dump(mode="json")})


class Row(Part):
    """One line of the file beside an entry: a case, a method and a metric."""

    method: Name
    metric: Name
    sample_id: Pseudonym
    """Case; `cohort` or `class NAME` for figures of several cases."""
    patient_id: Pseudonym
    status: Status
    score: float | None = Field(default=None, allow_inf_nan=False)
    reason: str = Field(default="", max_length=300)


def canonical(value: Any) -> str:
    """JSON of a value with sorted keys."""
    return json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def content_hash(text: bytes) -> str:
    """Name of an entry with this content."""
    return hashlib.sha256(text).hexdigest()[:DIGITS]


def schema() -> dict[str, Any]:
    """JSON Schema of an entry, as shipped in entry.schema.json."""
    return Entry.model_json_schema()
