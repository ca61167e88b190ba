"""What a reader study found: readers.json, typed."""

from typing import Literal

from xaibench.harness.store.run_info import Part
from xaibench.reports.readers.agreement import Coefficient
from xaibench.reports.scoring.intervals import Estimate

FILE = "readers.json"


class Figure(Part):
    """A figure over patients with its 95 % interval; None where there is none."""

    value: float | None
    low: float | None
    high: float | None
    patients: int

    @classmethod
    def of(cls, found: Estimate) -> "Figure":
        """Figure of an estimate."""
        return cls(value=found.value if found.n else None, low=found.low, high=found.high, patients=found.n)


class MethodRating(Part):
    """How readers rated the maps of a method: mean over readers and cases, then over patients."""

    method: str
    question: str
    rating: Figure


class ReaderAgreement(Part):
    """How far the readers agree on a question."""

    question: str
    coefficient: str
    value: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, question: str, coefficient: str, found: Coefficient) -> "ReaderAgreement":
        """Row of a coefficient."""
        return cls(
            question=question, coefficient=coefficient, value=found.value, low=found.low, high=found.high
        )


class Repeated(Part):
    """How far a reader agrees with themselves on the maps that came twice."""

    reader: str
    question: str
    maps: int
    same: float
    """Share of maps with the same rating twice, in [0, 1]."""
    low: float
    high: float
    """95 % interval of that share (Clopper and Pearson 1934), the maps taken as independent."""
    kappa: float | None
    """Quadratically weighted; None where all ratings are the same."""


class MetricAgreement(Part):
    """How far a metric orders the maps of a case as the readers do."""

    metric: str
    family: str
    question: str
    correlation: Figure
    """Spearman's, over the maps of a case, mean over patients; 1 = both put the same maps first."""
    p: float
    """Wilcoxon's signed-rank test of a correlation of 0, two-sided."""
    corrected_p: float
    """Corrected for all metrics and questions (Holm 1979)."""


class Overlap(Part):
    """How what readers drew overlaps with something else."""

    what: str
    measure: str
    overlap: Figure


class ReaderResults(Part):
    """All that the pages and tables show."""

    format: Literal[1] = 1
    readers: tuple[str, ...]
    maps: int
    """Different maps that were rated."""
    patients: int
    nothing_marked: int
    """Drawings without an outline."""
    ratings: tuple[MethodRating, ...]
    agreement: tuple[ReaderAgreement, ...]
    repeats: tuple[Repeated, ...]
    metrics: tuple[MetricAgreement, ...]
    overlaps: tuple[Overlap, ...]
