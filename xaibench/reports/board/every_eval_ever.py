"""The part of an entry that other tools read: fields named as in Every Eval Ever 0.3 (evalevalai.com).

An entry without its section `xaibench` is a document of that schema: what is evaluated is an explainer, `model_info` is
the classifier that it explains.
"""

from typing import Literal

from pydantic import Field

from xaibench.harness.store.run_info import Part


class SourceMetadata(Part):
    """Who evaluated."""

    source_name: str = "xaibench"
    source_type: Literal["evaluation_run"] = "evaluation_run"
    source_organization_name: str = "unknown"
    evaluator_relationship: Literal["first_party", "third_party", "collaborative", "other"] = "other"


class EvalLibrary(Part):
    """What evaluated."""

    name: Literal["xaibench"] = "xaibench"
    version: str


class ModelDetails(Part):
    """What the schema asks for beside the name."""

    deployment_type: Literal["unknown"] = "unknown"
    model_availability: Literal["unknown"] = "unknown"


class ClassifierInfo(Part):
    """The classifier that is explained."""

    name: str
    id: str
    """Name and fingerprint."""
    additional_details: ModelDetails = ModelDetails()


class SourceData(Part):
    """The cohort."""

    dataset_name: str
    source_type: Literal["other"] = "other"


class MetricConfig(Part):
    """What a metric is."""

    metric_id: str
    """`xaibench.NAME`."""
    metric_name: str
    metric_kind: str
    """Family of the metric."""
    metric_unit: str | None = None
    lower_is_better: bool
    score_type: Literal["continuous"] | None = None
    """Only where both bounds are finite, as the schema wants both then."""
    min_score: float | None = None
    max_score: float | None = None


class ConfidenceInterval(Part):
    """Interval over patients."""

    lower: float
    upper: float
    confidence_level: float = 0.95
    method: str = "over patients, as in xaibench.reports.scoring.intervals"


class Uncertainty(Part):
    """How sure a score is."""

    confidence_interval: ConfidenceInterval | None = None
    num_samples: int = Field(ge=0)
    """Patients."""


class ScoreDetails(Part):
    """A score over patients."""

    score: float
    uncertainty: Uncertainty


class EvaluationResult(Part):
    """One explainer by one metric."""

    evaluation_result_id: str
    """`METHOD/METRIC`."""
    evaluation_name: str
    """Name of the explainer."""
    source_data: SourceData
    metric_config: MetricConfig
    score_details: ScoreDetails


class DetailedResults(Part):
    """The scores of each case, in a file beside the entry."""

    format: Literal["jsonl"] = "jsonl"
    hash_algorithm: Literal["sha256"] = "sha256"
    checksum: str = Field(pattern="^[0-9a-f]{64}$")
    total_rows: int = Field(ge=1)
