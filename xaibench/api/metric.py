"""Measurements, and what a metric must look like."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Literal, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from xaibench.api.arrays import Heatmaps
from xaibench.api.data import Case
from xaibench.api.explain import CohortExplanation, Explain, ExplainCohort, Explanation, Preset
from xaibench.api.model import Classifier, Need


class Family(StrEnum):
    """Families of metrics."""

    FAITHFULNESS = "faithfulness"
    ROBUSTNESS = "robustness"
    COLOCALISATION = "co-localisation"
    RANDOMISATION = "randomisation"
    COMPLEXITY = "complexity"
    COST = "cost"
    COHORT = "cohort"


@dataclass(frozen=True)
class Measurement:
    """A metric's value, and figures worth recording beside it (never ranked)."""

    value: float
    details: Mapping[str, float] = field(default_factory=dict)


class MetricFacts(BaseModel):
    """What the class of a metric may declare, each as a class variable of that name.

    A field `seed: int` of a metric is the run's seed unless the user sets it.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    family: str
    higher_is_better: bool
    range: tuple[float, float]
    """Lowest and highest possible value (may be infinite)."""
    source: str
    chance: str
    """What a map without knowledge scores, or how that is found."""
    needs: frozenset[Need] = frozenset()
    """Need.REGION, Need.EXPLAIN, Need.TIMING, and what it asks of the classifier."""
    unit: str = ""
    """Empty for a pure number."""
    aggregate: Literal["mean", "median", "share"] = "mean"
    """Over patients: the median where a ratio has no upper bound, `share` where a case is a hit or none."""
    ranked: str = ""
    """The fact it stands for in the ranks; metrics of one fact count as one. Empty: shown, not ranked."""
    scale_free: bool = True
    """Whether a map times a positive constant scores alike; False only where the map's own units are what is judged."""
    presets: Mapping[str, Preset] = {}


class _Declares(Protocol):
    """What every metric declares. A frozen dataclass; its fields are its recorded parameters."""

    family: ClassVar[Family]
    higher_is_better: ClassVar[bool]
    range: ClassVar[tuple[float, float]]
    source: ClassVar[str]
    chance: ClassVar[str]


@runtime_checkable
class Metric(_Declares, Protocol):
    """Scores one explanation of one case."""

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Compute the value; raises NotApplicable with the reason where it has no meaning."""
        ...


@runtime_checkable
class ExplainBatch(Protocol):
    """Explains several cases in one batch."""

    def __call__(self, cases: list[Case]) -> Heatmaps:
        """Heatmaps of the cases."""
        ...


@runtime_checkable
class BatchMetric(_Declares, Protocol):
    """Scores a method over several cases together."""

    def score_batch(self, cases: list[Case], explain: ExplainBatch) -> Measurement:
        """Compute the one value of the cases; the method has run before, so nothing is traced."""
        ...


@runtime_checkable
class CohortMetric(_Declares, Protocol):
    """Scores a cohort explanation, a class at a time."""

    def score_cohort(
        self,
        folds: "Folds",
        cases: list[Case],
        label: int,
        explanation: CohortExplanation,
        explain: ExplainCohort,
    ) -> Measurement:
        """Compute the value of one class of the cases. Raises NotApplicable with the reason."""
        ...


@dataclass(frozen=True, eq=False)
class Folds:
    """The classifiers of a run, and which of them never saw which patient."""

    classifiers: tuple[Classifier, ...]
    of: Mapping[str, int]
    """Classifier of each patient, by pseudonym."""
