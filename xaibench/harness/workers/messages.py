"""What a run and its worker processes tell each other."""

from dataclasses import dataclass
from pathlib import Path

from xaibench.harness.spec import RunSpec


@dataclass(frozen=True)
class Order:
    """What a worker process is started with."""

    spec: RunSpec
    out: Path
    begins: bool = False
    """Whether it prepares the run and begins the folder; else it finds both there."""
    fresh: bool = False
    """Whether it computes one cell and ends."""


@dataclass(frozen=True)
class Said:
    """A sentence for the user."""

    text: str


@dataclass(frozen=True)
class Tracking:
    """So many steps of something begin; each is told by `Went`."""

    steps: int
    what: str


@dataclass(frozen=True)
class Went:
    """One step is done."""


@dataclass(frozen=True)
class Ready:
    """The worker waits for cells."""


@dataclass(frozen=True)
class Refused:
    """The worker cannot work, for a reason that the user can mend."""

    sentence: str


@dataclass(frozen=True)
class Broken:
    """The worker cannot work, and nobody foresaw it."""

    error: str
    traceback: str


@dataclass(frozen=True)
class Step:
    """A part of a cell begins, which may take so many seconds."""

    what: str
    """`worker.EXPLAINING`, or the name of a metric."""
    seconds: float


@dataclass(frozen=True)
class Ended:
    """The process is gone, or must be killed."""

    reason: str
