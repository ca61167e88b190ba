"""What all verdicts are made of: the sentence, and the measured scores behind it."""

from collections.abc import Sequence
from dataclasses import dataclass

from xaibench.reports.scoring.scores import Outcome, Score, Scores
from xaibench.reports.text import brief, span

FEW = 10
"""Patients below which a bootstrap's intervals are noticeably too narrow."""


@dataclass(frozen=True)
class Verdict:
    """A sentence, with particulars below it; `warns` where the reader should be wary."""

    text: str
    particulars: tuple[str, ...] = ()
    warns: bool = False


def measured(scores: Scores, methods: Sequence[str], metric: str) -> dict[str, Score]:
    """Scores of the methods that have a whole measurement of the metric."""
    cells = {method: scores.get((method, metric)) for method in methods}
    return {m: s for m, s in cells.items() if s is not None and s.status is Outcome.MEASURED}


def mean_of(score: Score) -> float:
    """Mean of a measured score; raises ValueError for one that is not."""
    if score.mean is None:
        raise ValueError(f"{score.method}, {score.metric}: {score.status} has no mean")
    return score.mean


def with_interval(score: Score) -> str:
    """Write the mean and its interval, such as `0.5 [0.4, 0.6]`."""
    return f"{brief(score.mean)} {span(score.low, score.high)}".rstrip()
