"""The tables as files: scores.csv, leaderboard.csv and leaderboard.md."""

import csv
import io
from collections.abc import Iterable, Sequence

from xaibench.reports.scoring.leaderboard import Leaderboard, metrics_by_family
from xaibench.reports.scoring.scores import Info, Outcome, Score, Scores
from xaibench.reports.text import ABSENT, brief, exact, one_line, plural, span

SCORE_COLUMNS = [
    *("method", "metric", "family", "status", "mean", "ci_low", "ci_high"),
    *("n_patients", "n_cases", "n_failed", "reason"),
]


def scores_csv(scores: Scores) -> str:
    """One row a method and metric; `-` where there is no number, and the reason in the last column."""
    return _csv(SCORE_COLUMNS, (_score_row(score) for score in scores.values()))


def _score_row(score: Score) -> list[str]:
    return [
        *(score.method, score.metric, score.family, score.status.value),
        *map(exact, (score.mean, score.low, score.high)),
        *map(str, (score.n_patients, score.n_cases, score.n_failed)),
        score.reason,
    ]


def leaderboard_csv(info: Info, scores: Scores, board: Leaderboard) -> str:
    """One row a method: rank, status, mean rank, ranks by family, then every metric with its interval."""
    metrics = [metric for group in metrics_by_family(info).values() for metric in group]
    header = [
        *("rank", "method", "family", "status", "mean_rank"),
        *(f"rank.{family}" for family in board.families),
        *(column for m in metrics for column in (m, f"{m}.ci_low", f"{m}.ci_high")),
    ]
    rows = [
        [
            ABSENT if s.rank is None else str(s.rank),
            *(s.method, s.family, s.place.value, exact(s.mean_rank)),
            *(exact(s.family_ranks.get(family)) for family in board.families),
            *(exact(v) for m in metrics for v in _triple(scores[s.method, m])),
        ]
        for s in board.standings
    ]
    return _csv(header, rows)


def _triple(score: Score) -> tuple[float | None, float | None, float | None]:
    return score.mean, score.low, score.high


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return file.getvalue()


def leaderboard_markdown(info: Info, scores: Scores, board: Leaderboard, sentences: Sequence[str]) -> str:
    """Ranks, values and notes, as GitHub renders them."""
    blocks = [
        f"# Explainers of {_plain(info['model']['name'])} on {_plain(info['cohort']['name'])}",
        _plain(subtitle(info)),
        "Mean rank over metric families, 1 = best; controls and incomplete methods are not ranked.",
        _markdown(board.header(), board.rows()),
        "Means over patients with 95 % intervals; the arrow says which direction is better.",
        _markdown(*_values(info, scores, board)),
    ]
    notes = [f"{s.method}: {s.note}" for s in board.standings if s.note]
    notes += [f"{metric} does not count in the ranks: {why}" for metric, why in board.left_out.items()]
    blocks += _section("What it says", sentences)
    blocks += _section("Notes", [*notes, *info["cohort"]["notes"]])
    return "\n\n".join(blocks) + "\n"


def subtitle(info: Info) -> str:
    """Name the cohort, the budget and what made the run, in one line without a date."""
    cohort, spec = info["cohort"], info["spec"]
    packages = {facts["package"] for kind in ("methods", "metrics") for facts in info[kind].values()}
    return (
        f"{plural(cohort['patients'], 'patient')}, {plural(cohort['cases'], 'case')}; "
        f"preset {spec['preset']}, seed {spec['seed']}; {', '.join(sorted(packages))}"
    )


def _section(title: str, sentences: Sequence[str]) -> list[str]:
    return [f"## {title}", "\n".join(f"- {_plain(s)}" for s in sentences)] if sentences else []


def _values(info: Info, scores: Scores, board: Leaderboard) -> tuple[list[str], list[list[str]]]:
    metrics = [metric for group in metrics_by_family(info).values() for metric in group]
    header = ["method", *(f"{m} {arrow(info['metrics'][m]['higher_is_better'])}" for m in metrics)]
    rows = [[s.method, *(cell_text(scores[s.method, m]) for m in metrics)] for s in board.standings]
    return header, rows


def arrow(higher_is_better: bool) -> str:
    """Show which direction is better."""
    return "↑" if higher_is_better else "↓"


def cell_text(score: Score) -> str:
    """Write the value with its interval, the status behind it unless all was measured."""
    if score.mean is None:
        return score.status.value
    status = "" if score.status is Outcome.MEASURED else f"({score.status.value})"
    return " ".join(filter(None, [brief(score.mean), span(score.low, score.high), status]))


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_plain(cell) for cell in line) + " |" for line in lines)


def _plain(text: str) -> str:
    """Keep Markdown from reading names as tags or columns."""
    return one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
