"""Scores over patients that follow from the rows of an entry."""

from collections.abc import Sequence

from xaibench.api import Record
from xaibench.harness.store.run_info import MetricInfo
from xaibench.reports.board.entry import Row, Section
from xaibench.reports.board.every_eval_ever import (
    ConfidenceInterval,
    EvaluationResult,
    MetricConfig,
    ScoreDetails,
    SourceData,
    Uncertainty,
)
from xaibench.reports.board.scores import scores_over_cells
from xaibench.reports.scoring.cell import Score
from xaibench.reports.scoring.scores import cells_of


def results_of(section: Section, rows: Sequence[Row]) -> tuple[EvaluationResult, ...]:
    """Score each method and metric that has any value."""
    cells = cells_of(map(record_of, rows))
    scores = scores_over_cells(section.methods, section.metrics, cells, len(section.cohort.cases))
    return tuple(
        EvaluationResult(
            evaluation_result_id=f"{score.method}/{score.metric}",
            evaluation_name=score.method,
            source_data=SourceData(dataset_name=section.cohort.name),
            metric_config=_config(score.metric, section.metrics[score.metric]),
            score_details=_details(score, score.value),
        )
        for score in scores.values()
        if score.value is not None
    )


def record_of(row: Row) -> Record:
    """Record of a row."""
    return Record(
        row.sample_id, row.patient_id, row.method, row.metric, row.status, value=row.score, reason=row.reason
    )


def _config(name: str, facts: MetricInfo) -> MetricConfig:
    low, high = facts.range
    return MetricConfig(
        metric_id=f"xaibench.{name}",
        metric_name=name,
        metric_kind=facts.family,
        metric_unit=facts.unit or None,
        lower_is_better=not facts.higher_is_better,
        score_type=None if low is None or high is None else "continuous",
        min_score=low,
        max_score=high,
    )


def _details(score: Score, value: float) -> ScoreDetails:
    known = score.low is not None and score.high is not None
    interval = ConfidenceInterval(lower=score.low, upper=score.high) if known else None  # type: ignore[arg-type]
    return ScoreDetails(
        score=value, uncertainty=Uncertainty(confidence_interval=interval, num_samples=score.n_patients)
    )
