"""The site: what stands on it, that it needs nothing from elsewhere, and that no stranger's text does anything."""

import base64
import csv
import hashlib
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.reports.board.made_up_board import added, forged, made_run
from tests.reports.made_up import Plan
from xaibench.harness.store.folder import RunFolder
from xaibench.harness.store.run_info import Machine
from xaibench.reports.board.badge import Verification, write_badge
from xaibench.reports.board.entry import Row
from xaibench.reports.board.folder import add, withdraw
from xaibench.reports.board.site import build
from xaibench.reports.board.tables import latex, safe_csv
from xaibench.reports.pages.appendix import Table

HOSTILE = "=HYPERLINK(\"x\")<script>alert('x')</script>\\input{x} & $y_1$ | z"
CHECKED = Verification(
    at=datetime(2030, 1, 2, tzinfo=UTC),
    machine=Machine(cpu="x86_64", cores=2, memory_gib=8, system="Linux 6", python="3.11.9"),
    versions={"xaibench": "0.2.0"},
    sample_seed=1,
    cells=28,
    sampled=20,
    compared=90,
    agreed=90,
)
REPORT = '<!DOCTYPE html><script>alert(1)</script><img src="https://elsewhere.example/x.png">'


class Tags(HTMLParser):
    """Tags of a page with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def values(self, name: str) -> list[str]:
        return [value for _, attrs in self.found if (value := attrs.get(name)) is not None]


@pytest.fixture(scope="module")
def site(made: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Site of a board with a run, a withdrawn one with a stranger's texts, and one of another cohort."""
    board = tmp_path_factory.mktemp("board")
    (made.path / "report.html").write_text(REPORT)
    path, _ = add(made, board, report=True)

    def hostile(section: dict[str, Any], rows: list[Row]) -> list[Row]:
        section["methods"]["lime"] |= {"family": HOSTILE, "source": HOSTILE, "summary": HOSTILE}
        section["cohort"]["name"] = HOSTILE
        return [row.model_copy(update={"reason": HOSTILE}) if row.reason else row for row in rows]

    write_badge(path, CHECKED)
    withdraw(forged(path, hostile), HOSTILE)
    plan = Plan(patients=3, metrics=("gini", "morf-lerf", "throughput"))
    run = made_run(board / "run", plan, ["lime"])
    forged(added(run, board), hostile, instead=True)
    return build(board).parent


@pytest.fixture(scope="module")
def texts(site: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in site.glob("*.html")}


def test_every_link_leads_to_a_file_of_the_site(site: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        ids = set(Tags(text).values("id"))
        for address in Tags(text).values("href"):
            file, _, place = address.partition("#")
            assert address.startswith("data:") or not file or (site / file).is_file(), (name, address)
            assert not place or place in ids, (name, address)


def test_nothing_is_loaded_from_elsewhere(texts: dict[str, str]) -> None:
    for name, text in texts.items():
        tags = Tags(text)
        assert all(address.startswith("data:") for address in tags.values("src")), name
        assert [attrs.get("src") for tag, attrs in tags.found if tag == "script"] == [None], name
        assert "default-src 'none'" in next(
            str(attrs["content"]) for tag, attrs in tags.found if "http-equiv" in attrs
        )


def test_only_our_script_may_run(texts: dict[str, str]) -> None:
    for text in texts.values():
        script = re.search(r"<script>(.*?)</script>", text, re.DOTALL)
        assert script
        digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
        assert f"script-src 'sha256-{digest}'" in text.replace("&#39;", "'")


def test_no_text_of_a_stranger_is_a_tag(texts: dict[str, str]) -> None:
    assert any("&lt;script&gt;alert" in text for text in texts.values())
    assert not any("<script>alert" in text for text in texts.values())


def test_a_report_is_shown_in_a_frame_without_scripts(texts: dict[str, str]) -> None:
    frames = [attrs for text in texts.values() for tag, attrs in Tags(text).found if tag == "iframe"]
    assert [(frame["sandbox"], frame["srcdoc"]) for frame in frames] == [("", REPORT)]


def test_a_withdrawn_entry_stays_as_withdrawn(texts: dict[str, str]) -> None:
    assert texts["index.html"].count('class="withdrawn"') == 1
    withdrawn = [
        name for name, text in texts.items() if name.startswith("run-") and "withdrawn on 20" in text
    ]
    assert len(withdrawn) == 1


def test_all_methods_have_cards_and_all_entries_pages(texts: dict[str, str], made: RunFolder) -> None:
    assert len([name for name in texts if name.startswith("method-")]) == len(made.info().methods)
    assert len([name for name in texts if name.startswith("run-")]) == 3
    assert len([name for name in texts if name.startswith("board-")]) == 2


def test_tables_stand_beside_the_page_in_three_formats(site: Path) -> None:
    files = sorted(path.name.split("-", 3)[-1] for path in site.iterdir() if path.suffix != ".html")
    assert files == sorted(2 * [f"{t}.{e}" for t in ("places", "values") for e in ("csv", "md", "tex")])
    rows = list(csv.DictReader(min(site.glob("board-*-places.csv")).read_text().splitlines()))
    assert {row["status"] for row in rows} <= {
        "ranked",
        "control",
        "incomplete",
        "not applicable",
        "not ranked",
    }
    for path in site.glob("board-*.csv"):
        cells = [cell for row in csv.reader(path.read_text().splitlines()) for cell in row]
        assert not [c for c in cells if c.startswith(("=", "+", "@")) and not is_number(c)], path


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_no_cell_of_a_csv_file_is_a_formula() -> None:
    frame = pd.DataFrame(
        {"a": ["=1+1", "-", "@x", "+x", "-x", "plain"], "b": [-1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}
    )
    cells = [line.partition(",")[0] for line in safe_csv(frame).splitlines()[1:]]
    assert cells == ["'=1+1", "-", "'@x", "'+x", "'-x", "plain"]
    assert safe_csv(frame).splitlines()[1].endswith(",-1")


def test_latex_is_escaped_and_ruled() -> None:
    text = latex(Table("", ["a_b ↑", "c"], [[r"\input{x} & 5 %", "$y$"]]))
    assert [rule in text for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [True] * 3
    assert r"a\_b $\uparrow$ & c \\" in text
    assert r"\textbackslash input\{x\} \& 5 \% & \$y\$ \\" in text


def test_the_same_board_gives_the_same_bytes(entry_file: Path, tmp_path: Path) -> None:
    first, again = (build(entry_file.parents[1], tmp_path / name).parent for name in ("first", "again"))
    found = {path.name: path.read_bytes() for path in again.iterdir()}
    assert found == {path.name: path.read_bytes() for path in first.iterdir()}


def test_a_badge_and_what_it_could_have_missed_are_shown(texts: dict[str, str]) -> None:
    assert any('<span class="badge good">verified</span>' in text for text in texts.values())
    (page,) = [text for text in texts.values() if CHECKED.caution in text]
    assert CHECKED.text in page


def test_tables_have_captions_and_pictures_have_words(texts: dict[str, str]) -> None:
    for text in texts.values():
        tags = [tag for tag, _ in Tags(text).found]
        assert tags.count("table") == tags.count("caption")
        assert all(attrs.get("alt") for tag, attrs in Tags(text).found if tag == "img")
        assert not re.search(r">\s*(nan|NaN|inf|None)\s*<", text)
