"""A run folder read and scored once, for all reports."""

from dataclasses import dataclass

from xaibench.harness.store import RunFolder
from xaibench.harness.types import Record, XaibenchError
from xaibench.reports.leaderboard import Leaderboard, leaderboard_of
from xaibench.reports.scores import Info, Scores, scores_of


@dataclass(frozen=True)
class Results:
    """A run's facts, records, scores and leaderboard."""

    info: Info
    records: list[Record]
    scores: Scores
    board: Leaderboard


def read(folder: RunFolder) -> Results:
    """Read and score a run; raises XaibenchError where the folder holds none."""
    info = folder.info()
    if not info:
        raise XaibenchError(f"{folder.path} holds no run (no run.json); give the --out folder of a run.")
    records = folder.records()
    scores = scores_of(info, records)
    return Results(info, records, scores, leaderboard_of(info, scores))
