"""The site of a board: static pages that open from a folder as from any web host, and load nothing from elsewhere."""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

from xaibench.api import write_file
from xaibench.reports.board import tables
from xaibench.reports.board.cards import card_file, cards
from xaibench.reports.board.contents import Posted, contents, pages
from xaibench.reports.board.runs import facts_of, result_table, spec_table, verification_table
from xaibench.reports.board.together import Together, ranked_together
from xaibench.reports.pages.appendix import Table
from xaibench.reports.pages.rendering import rendered
from xaibench.reports.pages.values import entries
from xaibench.reports.pictures.plotting import Plot
from xaibench.reports.pictures.ranks import critical_difference, first_places, quality_against_cost
from xaibench.reports.scoring.families import metrics_by_family
from xaibench.reports.text import ABSENT, plural

SITE = "site"
Page = Sequence[Posted]


def build(board: Path, out: Path | None = None) -> Path:
    """Write all pages and the files of their tables; returns the path of index.html.

    The same board gives the same bytes. Raises XaibenchError for an entry that does not fit.
    """
    site = out or board / SITE
    posted = contents(board)
    for name, text in texts(posted):
        write_file(site / name, lambda file, text=text: file.write(text.encode("utf-8")))  # type: ignore[misc]
    return site / "index.html"


def texts(posted: Sequence[Posted]) -> Iterator[tuple[str, str]]:
    """Name and text of each file of the site."""
    sorted_pages = pages(posted)
    joined = [ranked_together(page) for page in sorted_pages]
    made = cards(list(zip(sorted_pages, joined, strict=True)), page_file)
    yield "index.html", _page("index", pages=_overview(sorted_pages, joined), cards=made, posted=posted)
    for page, groups in zip(sorted_pages, joined, strict=True):
        yield page_file(page), _page("board", **_board(page, groups))
        for number, group in enumerate(groups, 1):
            for name, text in tables.files(group).items():
                yield f"{_stem(page)}-{number}-{name}", text
    for card in made:
        yield card_file(card.name), _page("card", card=card)
    for one in posted:
        yield run_file(one), _page("run", **_run(one, sorted_pages))


def page_file(page: Page) -> str:
    """File of a page, named by the fingerprints of cohort and model: names may be strangers'."""
    return f"{_stem(page)}.html"


def run_file(one: Posted) -> str:
    """File of the page of a run."""
    return f"run-{one.id}.html"


def _stem(page: Page) -> str:
    section = page[0].section
    both = f"{section.cohort.key} {section.model.key}"
    return f"board-{hashlib.sha256(both.encode()).hexdigest()[:16]}"


def _page(template: str, **content: Any) -> str:
    script = resources("xaibench.reports.pages").joinpath("templates/tables.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return rendered(
        f"board/{template}.html.j2",
        **content,
        script=script,
        script_hash=f"sha256-{digest}",
        run_file=run_file,
        card_file=card_file,
    )


def _overview(sorted_pages: Sequence[Page], joined: Sequence[Sequence[Together]]) -> list[dict[str, Any]]:
    """What the index says of each page."""
    return [
        {
            "file": page_file(page),
            "section": page[0].section,
            "entries": len(page),
            "verified": sum(one.verified for one in page),
            "methods": len({name for one in page for name in one.section.methods}),
            "leader": leader(groups),
        }
        for page, groups in zip(sorted_pages, joined, strict=True)
    ]


def leader(groups: Sequence[Together]) -> str:
    """Methods that may stand first in the largest group, or why there are none."""
    lines = groups[0].board.ranked if groups else []
    first = [line.method for line in lines if line.standing is not None and line.standing.place == 1]
    return ", ".join(first) if first else ABSENT


def _board(page: Page, groups: Sequence[Together]) -> dict[str, Any]:
    return {
        "page": page,
        "section": page[0].section,
        "performance": groups[0].performance if groups else None,
        "groups": [_group(page, number, group) for number, group in enumerate(groups, 1)],
        "seeds": sorted({one.section.seed for one in page}),
    }


def _group(page: Page, number: int, group: Together) -> dict[str, Any]:
    return {
        "together": group,
        "lines": entries(group),
        "families": metrics_by_family(group.info),
        "plots": plots(group),
        "files": [f"{_stem(page)}-{number}-{name}" for name in tables.FILES],
    }


def plots(group: Together) -> list[Plot]:
    """Critical differences, quality against cost a machine, and how stable the winner is."""
    board = group.board
    if board.ranking is None or board.stability is None or len(board.ranked) < 2:
        return []
    return [critical_difference(board.ranking), *_costs(group), first_places(board.stability)]


def _costs(group: Together) -> list[Plot]:
    """Times of different machines are not compared: a plot for each."""
    machines: dict[str, list[Any]] = {}
    for line in group.board.ranked:
        machine = group.origins[line.method][0].section.machine
        name = f"{machine.cpu}, {plural(machine.cores, 'core')}, {machine.memory_gib:g} GiB"
        machines.setdefault(name, []).append(line)
    return [
        Plot(plot.src, plot.alt, f"{plot.caption} Times on {name}.")
        for name, lines in machines.items()
        for plot in quality_against_cost(lines)
    ]


def _run(one: Posted, sorted_pages: Sequence[Page]) -> dict[str, Any]:
    page = next(page for page in sorted_pages if one in page)
    shown: list[Table] = [spec_table(one), result_table(one)]
    return {
        "one": one,
        "page_file": page_file(page),
        "facts": facts_of(one),
        "tables": shown,
        "verifications": verification_table(one),
    }
