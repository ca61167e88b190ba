"""The leaderboard as GitHub renders it: leaderboard.md."""

from collections.abc import Sequence

from xaibench.harness.store.run_info import RunInfo
from xaibench.reports.scoring.cell import Outcome, Score
from xaibench.reports.scoring.families import metrics_by_family
from xaibench.reports.scoring.results import Results
from xaibench.reports.scoring.scores import Scores
from xaibench.reports.text import brief, one_line, plural, span
from xaibench.reports.verdicts.verdict import Question, sentences


def leaderboard_markdown(run: Results, questions: Sequence[Question]) -> str:
    """Verdicts, places, values and notes."""
    info, board = run.info, run.board
    blocks = [
        f"# Explainers of {_plain(info.model.name)} on {_plain(info.cohort.name)}",
        _plain(subtitle(info)),
    ]
    for question in questions:
        blocks += _section(question.text, sentences([question]))
    blocks += [
        "## Leaderboard",
        "A place is an interval: explainers that the tests cannot tell apart share it. Mean rank within patients over "
        "metric families, 1 = best; controls and incomplete methods are not ranked, and cost is not counted.",
        markdown_table(board.header(), board.rows()),
        "Figures over patients with 95 % intervals; the arrow says which direction is better.",
        markdown_table(*values(info, run.scores, [line.method for line in board.lines])),
    ]
    notes = [f"{line.method}: {line.note}" for line in board.lines if line.note]
    notes += [f"{metric} does not count in the ranks: {why}" for metric, why in board.left_out.items()]
    return "\n\n".join([*blocks, *_section("Notes", [*notes, *info.cohort.notes])]) + "\n"


def subtitle(info: RunInfo) -> str:
    """Name the cohort, the budget and what made the run, in one line without a date."""
    packages = {m.package for m in info.methods.values()} | {m.package for m in info.metrics.values()}
    return (
        f"{plural(len(info.cohort.patients), 'patient')}, {plural(len(info.cohort.cases), 'case')}; "
        f"preset {info.spec['preset']}, seed {info.spec['seed']}; {', '.join(sorted(packages))}"
    )


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [f"## {_plain(title)}", "\n".join(f"- {_plain(line)}" for line in lines)] if lines else []


def values(info: RunInfo, scores: Scores, methods: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of all values with their intervals."""
    metrics = [metric for group in metrics_by_family(info).values() for metric in group]
    header = ["method", *(f"{m} {arrow(info.metrics[m].higher_is_better)}" for m in metrics)]
    return header, [[method, *(cell_text(scores[method, m]) for m in metrics)] for method in methods]


def arrow(higher_is_better: bool) -> str:
    """Show which direction is better."""
    return "↑" if higher_is_better else "↓"


def cell_text(score: Score) -> str:
    """Write the value with its interval, the status behind it unless all was measured."""
    if score.value is None:
        return score.status.value
    status = "" if score.status is Outcome.MEASURED else f"({score.status.value})"
    return " ".join(filter(None, [brief(score.value), span(score.low, score.high), status]))


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table, its cells escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_plain(cell) for cell in line) + " |" for line in lines)


def _plain(text: str) -> str:
    """Keep Markdown from reading names as tags or columns."""
    return one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
