"""The files for machines: scores.csv, patients.csv and leaderboard.csv."""

from collections.abc import Mapping, Sequence

import pandas as pd

from xaibench.harness.store.run_info import RunInfo
from xaibench.reports.scoring.cell import is_measured
from xaibench.reports.scoring.families import metrics_by_family
from xaibench.reports.scoring.groups import Group
from xaibench.reports.scoring.leaderboard import Leaderboard, Line
from xaibench.reports.scoring.scores import GAIN, Cells, Scores
from xaibench.reports.text import ABSENT

DIGITS = "%.6g"


def csv_text(frame: pd.DataFrame) -> str:
    """Write a table: six significant digits, `-` where there is no number."""
    numbers = frame.select_dtypes("float").columns
    # Adding zero turns -0.0 into 0.0.
    frame = frame.assign(**{name: frame[name] + 0.0 for name in numbers})
    return frame.to_csv(index=False, na_rep=ABSENT, float_format=DIGITS, lineterminator="\n")


def scores_frame(by_group: Mapping[Group, Scores]) -> pd.DataFrame:
    """One row a method, metric and group of cases; `class` is the explained one, `subset` what else they share."""
    rows = [
        {
            **{"method": score.method, "metric": score.metric},
            **{"class": group.explained or "all", "subset": group.subset or "all"},
            **{"aggregate": score.aggregate, "value": score.value, "low": score.low, "high": score.high},
            **{"n_patients": score.n_patients, "n_cases": score.n_cases, "n_failed": score.n_failed},
            **{"status": score.status.value, "reason": score.reason},
        }
        for group, scores in by_group.items()
        for score in scores.values()
    ]
    frame = pd.DataFrame(rows).astype({"value": float, "low": float, "high": float})
    return frame.sort_values(["method", "metric"], kind="stable")


def patients_frame(cells: Cells) -> pd.DataFrame:
    """One row a patient, method and metric, and one for its gain: the mean over the patient's cases."""
    rows = [
        (record.patient, method, name, value)
        for (method, metric), records in cells.items()
        for record in records
        if is_measured(record)
        for name, value in ((metric, record.value), (f"{metric}.{GAIN}", record.details.get(GAIN)))
        if value is not None
    ]
    columns = ["patient", "method", "metric", "value"]
    frame = pd.DataFrame(rows, columns=columns).astype({"value": float})
    grouped = frame.groupby(columns[:-1], sort=True)["value"].agg(value="mean", n_cases="size")
    return grouped.reset_index()


def leaderboard_frame(info: RunInfo, scores: Scores, board: Leaderboard) -> pd.DataFrame:
    """One row a method: place, status, ranks by family, then every metric with its interval."""
    metrics = [metric for group in metrics_by_family(info).values() for metric in group]
    return pd.DataFrame([_row(line, board.families, scores, metrics) for line in board.lines])


def _row(line: Line, families: Sequence[str], scores: Scores, metrics: Sequence[str]) -> dict[str, object]:
    standing = line.standing
    ranks = {} if standing is None else standing.family_ranks
    values = {metric: scores[line.method, metric] for metric in metrics}
    return {
        "place": None if standing is None else standing.place,
        "last_place": None if standing is None else standing.last_place,
        **{"method": line.method, "family": line.family, "status": line.state.value},
        "mean_rank": None if standing is None else standing.mean_rank,
        "first_share": line.first,
        **{f"rank.{family}": ranks.get(family) for family in families},
        **{
            f"{metric}{end}": number
            for metric, score in values.items()
            for end, number in (("", score.value), (".low", score.low), (".high", score.high))
        },
        "note": line.note or ABSENT,
    }
