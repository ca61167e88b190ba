"""What a run writes down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Status(StrEnum):
    """How a record came out."""

    OK = "ok"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class Record:
    """One number, or the reason why there is none."""

    case: str
    """Case pseudonym; `cohort` for a figure of several cases together, `class NAME` for one of a class."""
    patient: str
    """Patient pseudonym; `cohort` where the figure is not of one patient."""
    method: str
    metric: str
    status: Status
    key: str = ""
    """Hash of all that decides the number: method and metric with parameters and code, model, case, seeds, API."""
    value: float | None = None
    reason: str = ""
    details: Mapping[str, float] = field(default_factory=dict)
    fold: int | None = None
    seconds: float = 0.0
    forward: int = 0
    backward: int = 0
