"""Tables of a page as files: CSV for machines, Markdown for GitHub, LaTeX for papers.

Texts may be a stranger's: a cell of a CSV file that a spreadsheet would compute begins with an apostrophe, and what
Markdown or LaTeX would read as a command is escaped.
"""

import pandas as pd

from xaibench.reports.board.together import Together
from xaibench.reports.pages.appendix import Table
from xaibench.reports.pages.frames import csv_text, leaderboard_frame, scores_frame
from xaibench.reports.pages.markdown import markdown_table, values
from xaibench.reports.scoring.groups import ALL
from xaibench.reports.text import ABSENT

FORMULA = ("=", "+", "-", "@", "\t", "\r")
FILES = ("places.csv", "places.md", "places.tex", "values.csv", "values.md", "values.tex")
ARROWS = {"↑": r"$\uparrow$", "↓": r"$\downarrow$"}


def places(found: Together) -> Table:
    """Who stands where."""
    return Table("Places", found.board.header(), found.board.rows())


def all_values(found: Together) -> Table:
    """All values with their intervals."""
    lines = [line.method for line in found.board.lines]
    return Table("Values with 95 % intervals", *values(found.info, found.scores, lines))


def files(found: Together) -> dict[str, str]:
    """Text of each file by the end of its name."""
    ranks, figures = places(found), all_values(found)
    made = (
        safe_csv(leaderboard_frame(found.info, found.scores, found.board)),
        markdown_table(ranks.header, ranks.rows) + "\n",
        latex(ranks),
        safe_csv(scores_frame({ALL: found.scores})),
        markdown_table(figures.header, figures.rows) + "\n",
        latex(figures),
    )
    return dict(zip(FILES, made, strict=True))


def safe_csv(frame: pd.DataFrame) -> str:
    """CSV that no spreadsheet computes."""
    texts = frame.select_dtypes(exclude="number").columns
    return csv_text(frame.assign(**{name: frame[name].map(_harmless) for name in texts}))


def _harmless(cell: object) -> object:
    if isinstance(cell, str) and cell != ABSENT and cell.startswith(FORMULA):
        return "'" + cell
    return cell


def latex(table: Table) -> str:
    """LaTeX with the rules of the package booktabs."""
    frame = pd.DataFrame(table.rows, columns=table.header)
    text = frame.style.hide(axis="index").format(escape="latex").format_index(escape="latex", axis=1)
    made: str = text.to_latex(hrules=True, column_format="l" * len(table.header))
    for arrow, command in ARROWS.items():
        made = made.replace(arrow, command)
    return made
