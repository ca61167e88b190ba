"""The page: one HTML file that opens offline, with every picture inside it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from xaibench.harness.store.folder import RunFolder
from xaibench.reports.pages import appendix
from xaibench.reports.pages.rendering import rendered
from xaibench.reports.pages.tables import subtitle
from xaibench.reports.pages.training import STUDY
from xaibench.reports.pictures.figures import panels
from xaibench.reports.pictures.gallery import case_rows
from xaibench.reports.pictures.simulated import simulated_rows
from xaibench.reports.scoring.leaderboard import Leaderboard, Place, Standing, metrics_by_family
from xaibench.reports.scoring.results import Results
from xaibench.reports.scoring.scores import Info, Score, Scores
from xaibench.reports.text import brief, exact, span
from xaibench.reports.verdicts.verdict import Verdict

GROUPS = {
    "Explainers": (Place.RANKED, Place.UNRANKED),
    "Controls (not ranked)": (Place.CONTROL,),
    "Incomplete (not ranked)": (Place.INCOMPLETE,),
    "Not applicable to this model": (Place.NOT_APPLICABLE,),
}


@dataclass(frozen=True)
class Cell:
    """A value with its interval, as shown; the words behind it on hovering."""

    value: str
    interval: str
    best: bool
    measured: bool
    reason: str


@dataclass(frozen=True)
class Line:
    """A method's line in both tables of the leaderboard."""

    standing: Standing
    ranks: list[str]
    cells: list[Cell]


def page(folder: RunFolder, results: Results, found: Sequence[Verdict]) -> str:
    """Render the report of a run."""
    info, scores, board = results.info, results.scores, results.board
    return rendered(
        "report.html.j2",
        info=info,
        board=board,
        left_out=_left_out(board),
        subtitle=subtitle(info),
        verdicts=found,
        families=metrics_by_family(info),
        groups=_groups(info, scores, board),
        panels=panels(info, scores, board),
        cases=case_rows(folder, results),
        cohort=simulated_rows(folder, results),
        study=STUDY if "training" in info["model"] else "",
        failures=appendix.failure_tables(results.records, folder.failures()),
        glossary=appendix.glossary(info),
        methods=appendix.methods(info),
        provenance=appendix.provenance(info),
    )


def _left_out(board: Leaderboard) -> list[str]:
    """Metrics that do not count, those of one reason together."""
    names: dict[str, list[str]] = {}
    for metric, reason in board.left_out.items():
        names.setdefault(reason, []).append(metric)
    return [f"{', '.join(metrics)} ({reason})" for reason, metrics in names.items()]


def _groups(info: Info, scores: Scores, board: Leaderboard) -> dict[str, list[Line]]:
    """Lines of the leaderboard under their headings, empty groups left out."""
    metrics = [metric for names in metrics_by_family(info).values() for metric in names]
    best = {pair for metric in metrics for pair in _best(info, scores, board, metric)}
    lines = [
        Line(
            standing=standing,
            ranks=row[4:],
            cells=[_cell(scores[standing.method, metric], best) for metric in metrics],
        )
        for standing, row in zip(board.standings, board.rows(), strict=True)
    ]
    groups = {name: [x for x in lines if x.standing.place in places] for name, places in GROUPS.items()}
    return {name: found for name, found in groups.items() if found}


def _best(info: Info, scores: Scores, board: Leaderboard, metric: str) -> list[tuple[str, str]]:
    """Cells of the ranked explainers with the best value, as written in scores.csv."""
    names = [s.method for s in board.standings if s.place is Place.RANKED]
    values = {name: v for name in names if (v := scores[name, metric].mean) is not None}
    if not values:
        return []
    pick = max if info["metrics"][metric]["higher_is_better"] else min
    best = exact(pick(values.values()))
    return [(name, metric) for name, value in values.items() if exact(value) == best]


def _cell(score: Score, best: Collection[tuple[str, str]]) -> Cell:
    shown = score.status.value if score.mean is None else brief(score.mean)
    is_best = (score.method, score.metric) in best
    return Cell(shown, span(score.low, score.high), is_best, score.mean is not None, score.reason)
