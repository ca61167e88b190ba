"""Tables of values with their intervals: the whole cohort, then each metric by class and other groups of cases."""

from collections.abc import Collection
from dataclasses import dataclass

from xaibench.harness.store.run_info import RunInfo
from xaibench.reports.pages.appendix import Table
from xaibench.reports.pages.markdown import cell_text
from xaibench.reports.scoring.cell import Score
from xaibench.reports.scoring.families import metrics_by_family
from xaibench.reports.scoring.groups import ALL, Group
from xaibench.reports.scoring.leaderboard import Leaderboard, Line, State
from xaibench.reports.scoring.results import Results
from xaibench.reports.scoring.scores import GAIN, Scores
from xaibench.reports.text import ABSENT, brief, exact, plural, span

HEADINGS = {
    "Explainers": (State.RANKED, State.UNRANKED),
    "Controls (not ranked)": (State.CONTROL,),
    "Incomplete (not ranked)": (State.INCOMPLETE,),
    "Not applicable to this model": (State.NOT_APPLICABLE,),
}


@dataclass(frozen=True)
class Shown:
    """A value with its interval, as shown; the words behind it on hovering."""

    value: str
    interval: str
    gain: str
    """What the value gains over the same map shifted; empty where that was not measured."""
    best: bool
    measured: bool
    reason: str


@dataclass(frozen=True)
class Entry:
    """A method's line in both tables of the leaderboard."""

    line: Line
    ranks: list[str]
    """Place, mean rank, ranks by family, how often it comes first, latency."""
    cells: list[Shown]


def entries(run: Results) -> dict[str, list[Entry]]:
    """Lines of the leaderboard under their headings, empty ones left out."""
    info, scores, board = run.info, run.scores, run.board
    metrics = [metric for names in metrics_by_family(info).values() for metric in names]
    best = {pair for metric in metrics for pair in _best(info, scores, board, metric)}
    made = [
        Entry(line, [row[0], *row[4:]], [_shown(scores, line.method, metric, best) for metric in metrics])
        for line, row in zip(board.lines, board.rows(), strict=True)
    ]
    found = {title: [e for e in made if e.line.state in states] for title, states in HEADINGS.items()}
    return {title: members for title, members in found.items() if members}


def _best(info: RunInfo, scores: Scores, board: Leaderboard, metric: str) -> list[tuple[str, str]]:
    """Cells of the ranked explainers with the best value, as written in scores.csv."""
    values = {line.method: v for line in board.ranked if (v := scores[line.method, metric].value) is not None}
    if not values:
        return []
    pick = max if info.metrics[metric].higher_is_better else min
    best = exact(pick(values.values()))
    return [(name, metric) for name, value in values.items() if exact(value) == best]


def _shown(scores: Scores, method: str, metric: str, best: Collection[tuple[str, str]]) -> Shown:
    score, gain = scores[method, metric], scores.get((method, f"{metric}.{GAIN}"))
    return Shown(
        score.status.value if score.value is None else brief(score.value),
        span(score.low, score.high),
        f"{gain.value:+.2g}" if gain is not None and gain.value is not None else "",
        (method, metric) in best,
        score.value is not None,
        score.reason,
    )


def by_group(run: Results) -> list[Table]:
    """For each metric that is split by groups of cases, a table of the methods by group."""
    split = {metric: groups for metric in run.info.metrics if len(groups := run.groups(metric)) > 1}
    names = [metric for group in metrics_by_family(run.info).values() for metric in group if metric in split]
    return [_group_table(run, metric, split[metric]) for metric in names]


def _group_table(run: Results, metric: str, groups: dict[Group, frozenset[str]]) -> Table:
    header = ["method", *(f"{_title(g)} ({plural(len(members), 'case')})" for g, members in groups.items())]
    rows = [
        [line.method, *(_text(run.by_group[group].get((line.method, metric))) for group in groups)]
        for line in run.board.lines
    ]
    return Table(metric, header, rows)


def _title(group: Group) -> str:
    if group == ALL:
        return "all"
    return f"{group.explained} explained" if group.explained else group.subset


def _text(score: Score | None) -> str:
    return ABSENT if score is None else cell_text(score)
