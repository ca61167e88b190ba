"""Who stands where: ranked explainers with the places that the tests support, then everything that is not ranked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from xaibench.harness.store.run_info import RunInfo
from xaibench.reports.scoring.cell import LATENCY, Outcome, Score
from xaibench.reports.scoring.comparable import Comparable
from xaibench.reports.scoring.families import in_order
from xaibench.reports.scoring.ranking import (
    RankedMetric,
    Ranking,
    RankTable,
    Standing,
    rank_table,
    ranking_of,
)
from xaibench.reports.scoring.scores import Cells, Scores
from xaibench.reports.scoring.stability import Stability, stability_of
from xaibench.reports.scoring.values import case_values
from xaibench.reports.text import ABSENT, brief, percent


class State(StrEnum):
    """What a method is on the leaderboard; shown in this order."""

    RANKED = "ranked"
    UNRANKED = "not ranked"
    CONTROL = "control"
    INCOMPLETE = "incomplete"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class Line:
    """One method's line of the leaderboard."""

    method: str
    family: str
    state: State
    standing: Standing | None = None
    """Place and ranks; None where the method is not ranked."""
    first: float | None = None
    """Share of 1000 draws of the patients in which the method comes first; None where it is not ranked."""
    latency: Score | None = None
    """Median time of an image; None where it was not measured."""
    note: str = ""
    """Why the method is not ranked; empty for ranked ones and for controls."""

    @property
    def place(self) -> str:
        """Best and worst possible place, such as `1-3`."""
        if self.standing is None:
            return ABSENT
        best, worst = self.standing.place, self.standing.last_place
        return str(best) if best == worst else f"{best}-{worst}"


@dataclass(frozen=True)
class Leaderboard:
    """All methods: ranked ones by mean rank, then controls, incomplete ones and ones that do not apply."""

    lines: tuple[Line, ...]
    families: tuple[str, ...]
    """Metric families that count, in a fixed order."""
    facts: Mapping[str, Sequence[str]]
    """Metrics that count, by the fact that they stand for."""
    left_out: Mapping[str, str]
    """Metrics that do not count, with the reason."""
    ranking: Ranking | None = None
    """Places and the test behind them; None where nothing can be ranked."""
    stability: Stability | None = None
    table: RankTable | None = None
    """Ranks within patients of the facts, in the order of `facts`."""

    @property
    def ranked(self) -> list[Line]:
        """Ranked methods, best first."""
        return [line for line in self.lines if line.state is State.RANKED]

    def header(self) -> list[str]:
        """Column titles of `rows`."""
        return ["place", "method", "family", "status", "mean rank", *self.families, "first in", "latency"]

    def rows(self) -> list[list[str]]:
        """One line of text a method: place, ranks by family, how often it comes first, and what it costs."""
        return [
            [
                *(line.place, line.method, line.family, line.state.value),
                ABSENT if line.standing is None else f"{line.standing.mean_rank:.2f}",
                *(_family_rank(line, family) for family in self.families),
                ABSENT if line.first is None else percent(line.first),
                ABSENT if line.latency is None else f"{brief(line.latency.value)} ms",
            ]
            for line in self.lines
        ]

    def narrow(self, families: bool = True) -> tuple[list[str], list[list[str]]]:
        """Header and rows for a terminal, with or without the ranks by family; who has no place says why there."""
        header, left_out = self.header(), {"family", "status", *(() if families else self.families)}
        kept = [column for column, title in enumerate(header) if title not in left_out]
        rows = [
            [line.state.value if row[0] == ABSENT else row[0], *row[1:]]
            for line, row in zip(self.lines, self.rows(), strict=True)
        ]
        return [header[column] for column in kept], [[row[column] for column in kept] for row in rows]


def _family_rank(line: Line, family: str) -> str:
    ranks = {} if line.standing is None else line.standing.family_ranks
    return f"{ranks[family]:.2f}" if family in ranks else ABSENT


def leaderboard_of(info: RunInfo, cells: Cells, scores: Scores, who: Comparable) -> Leaderboard:
    """Rank the complete explainers and list all others."""
    metrics = ranked_metrics(info, cells, who)
    table = rank_table(who.complete, metrics) if metrics else None
    ranking = ranking_of(table) if table else None
    stability = stability_of(table) if table else None
    standings = {standing.method: standing for standing in ranking.standings} if ranking else {}
    lines = [_line(info, scores, who, method) for method in sorted({*info.methods} - {*standings})]
    ranked = [
        replace(_line(info, scores, who, name), standing=standing, first=stability.first[name])
        for name, standing in standings.items()
        if stability
    ]
    lines.sort(key=lambda line: list(State).index(line.state))
    families = tuple(in_order(metric.family for metric in metrics))
    return Leaderboard((*ranked, *lines), families, who.facts(info), who.left_out, ranking, stability, table)


def ranked_metrics(info: RunInfo, cells: Cells, who: Comparable) -> list[RankedMetric]:
    """Values of the metrics that count, over the cases that all complete explainers have, by patient."""
    found = []
    for metric in who.metrics:
        values = case_values(cells, metric, who.complete).dropna().groupby(level="patient").mean()
        facts = info.metrics[metric]
        patients = tuple(map(str, values.index))
        found.append(
            RankedMetric(
                facts.family, facts.ranked, facts.higher_is_better, patients, values.to_numpy(float).T
            )
        )
    return found


def _line(info: RunInfo, scores: Scores, who: Comparable, method: str) -> Line:
    """Line of a method, before its place is known."""
    state, latency = _state(info, scores, who, method), scores.get((method, LATENCY))
    return Line(
        method,
        info.methods[method].family,
        state,
        latency=latency if latency is not None and latency.value is not None else None,
        note=_note(scores, who, method, state),
    )


def _state(info: RunInfo, scores: Scores, who: Comparable, method: str) -> State:
    if info.methods[method].is_control:
        return State.CONTROL
    if method in who.complete:
        return State.RANKED if who.metrics else State.UNRANKED
    outcomes = {scores[method, metric].status for metric in info.metrics}
    inapplicable = Outcome.NOT_APPLICABLE in outcomes <= {Outcome.NOT_APPLICABLE, Outcome.MISSING}
    return State.NOT_APPLICABLE if inapplicable else State.INCOMPLETE


def _note(scores: Scores, who: Comparable, method: str, state: State) -> str:
    """Why a method is not ranked; empty for controls and for those that are."""
    own = [score for (name, _), score in scores.items() if name == method]
    match state:
        case State.UNRANKED:
            return "no metric was measured for every complete explainer"
        case State.NOT_APPLICABLE:
            # Without the count in front: no case could be explained anyhow.
            return next(s for s in own if s.status is Outcome.NOT_APPLICABLE).reason.partition(": ")[2]
        case State.INCOMPLETE:
            bad = (Outcome.FAILED, Outcome.INCOMPLETE, Outcome.MISSING)
            reason = next((score.reason for score in own if score.status in bad), "").partition("; ")[0]
            return ": ".join(filter(None, [who.gaps.get(method, "nothing was measured"), reason]))
    return ""
