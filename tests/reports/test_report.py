"""The page: whole, offline, escaped, the same from the same records."""

import random
import re
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.reports.made_up import METHODS, METRICS, NASTY, Plan, info_of, keep, make_cases, make_run
from xaibench.api import Record, Status, XaibenchError
from xaibench.harness.store.folder import RunFolder
from xaibench.harness.store.run_info import Scope
from xaibench.reports import write_reports
from xaibench.reports.pages.appendix import gaps
from xaibench.reports.pages.writer import tables
from xaibench.reports.pictures.gallery import chosen
from xaibench.reports.scoring.results import read
from xaibench.reports.verdicts.all import questions

SECTIONS = [
    "verdicts",
    "leaderboard",
    "values",
    "groups",
    "agreement",
    "criteria",
    "figures",
    "cases",
    "gallery",
    "cohort-explanations",
    "failures",
    "notes",
    "glossary",
]
VOID = {"meta", "link", "img", "input", "br"}


class Page(HTMLParser):
    """Collects tags, attributes and text, and checks that every tag is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def page(report: str) -> Page:
    return Page(report)


def test_every_tag_is_closed(page: Page) -> None:
    assert page.open == []


def test_nothing_is_loaded_from_elsewhere(page: Page, report: str) -> None:
    names = {tag for tag, _ in page.tags}
    assert not names & {"iframe", "object", "embed"}
    assert not [attrs for tag, attrs in page.tags if tag == "script" and "src" in attrs]
    addresses = [
        v for _, attrs in page.tags for k, v in attrs.items() if k in ("src", "href") and v is not None
    ]
    assert addresses
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert all(found.startswith("data:") for found in re.findall(r"url\(([^)]*)\)", report))
    assert "@import" not in report


def test_names_and_notes_are_escaped(report: str) -> None:
    assert NASTY not in report
    assert "<script>" not in report
    assert "&lt;b&gt;bold&lt;/b&gt;" in report


def test_sections_stand_in_order_and_links_lead_to_them(page: Page) -> None:
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert [name for name in ids if name in SECTIONS] == SECTIONS
    links = {attrs["href"] for tag, attrs in page.tags if tag == "a"}
    assert links <= {f"#{name}" for name in ids}


def test_pictures_have_words_and_tables_have_captions_and_scopes(page: Page) -> None:
    count = Counter(tag for tag, _ in page.tags)
    assert count["table"] == count["caption"]
    assert all(attrs.get("alt") for tag, attrs in page.tags if tag == "img")
    assert all(attrs.get("scope") for tag, attrs in page.tags if tag == "th")


def test_every_method_and_metric_is_on_the_page(page: Page) -> None:
    text = " ".join(page.text)
    for name in [*METHODS, *METRICS]:
        assert name in text
    assert "120 phantom patients of another seed" in text


def test_no_number_is_nan(page: Page) -> None:
    text = " ".join(page.text).replace("NaN or infinite values", "")
    assert not re.search(r"\b(nan|NaN|inf|None)\b", text)


def test_the_gallery_shows_four_cases_of_both_classes_with_a_tile_a_method(page: Page) -> None:
    tiles = [attrs["alt"] or "" for tag, attrs in page.tags if tag == "img"]
    slices = [alt for alt in tiles if alt.startswith("Slice of")]
    assert len(slices) == 4
    assert (
        sum(
            "recurrent" in text and "non-" not in text.split(";")[0]
            for text in page.text
            if text.startswith("label: ")
        )
        == 2
    )
    assert sum(alt.startswith("grad-cam map of") for alt in tiles) == 4
    text = " ".join(page.text)
    assert "constant map: 0 everywhere" in text
    assert "no map: ValueError: the method returned NaN or infinite values" in text


def test_the_simulated_images_of_both_classes_are_shown(page: Page) -> None:
    text = " ".join(page.text)
    for name in ("non-recurrent", "recurrent"):
        assert f"stacked-feature-maps: {name}" in text
    assert "class-consistency was not measured" in text


def test_failures_are_counted_now_and_over_the_whole_history(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", Plan(patients=4))
    failed = sum(r.status is Status.FAILED for r in folder.records())
    folder.forget_failures()
    text = write_reports(folder).read_text()
    folder.close()
    assert f"Failed cells: 0 now; {failed} in the whole history of the folder" in text


def test_methods_that_lack_the_same_cells_share_a_row(folder: RunFolder) -> None:
    rows = gaps(folder.records(), Status.NOT_APPLICABLE)
    alike, mask = [row for row in rows if row[0] == "the case has no annotated region"]
    assert "edges, grad-cam" in alike[1]
    assert alike[2] == "enrichment, pointing-game, relevance-mass"
    assert mask[1] == "mask", "the mask has no map at all there, the others have one"
    assert "gini" in mask[2]
    failed = gaps(folder.records(), Status.FAILED)
    case_metrics = [name for name, facts in sorted(METRICS.items()) if facts.scope is Scope.CASE]
    reason = "ValueError: the method returned NaN or infinite values"
    assert failed == [[reason, "broken", ", ".join(case_metrics), str(4 * len(case_metrics))]]


def test_cases_are_chosen_one_a_patient_from_the_classes_in_turn(folder: RunFolder) -> None:
    info, cases = folder.info(), folder.cases()
    targets = {case.id: case.target for case in info.cohort.cases}
    names = chosen(info, cases)
    assert [targets[name] for name in names] == [0, 1, 0, 1]
    assert len({cases[name].patient for name in names}) == 4
    assert "P001-s11" not in names, "annotated cases come first"


def test_the_same_folder_gives_the_same_page(folder: RunFolder, report: str) -> None:
    assert write_reports(folder).read_text() == report


def test_a_run_that_has_only_begun_has_a_report(folder: RunFolder, tmp_path: Path) -> None:
    begun = RunFolder(tmp_path / "begun")
    begun.begin(folder.info(), folder.cases())
    text = write_reports(begun).read_text()
    begun.close()
    assert "None of 7 explainers could be ranked." in text
    assert "8 of 8 cases not computed" in (begun.path / "scores.csv").read_text()


@pytest.mark.nightly
def test_the_same_records_in_any_order_give_the_same_bytes(folder: RunFolder, tmp_path: Path) -> None:
    other = RunFolder(tmp_path / "other")
    other.begin(folder.info(), folder.cases())
    records = folder.records()
    random.Random(0).shuffle(records)
    for record in records:
        keep(other, [record])
    run = read(other)
    other.close()
    for name, text in tables(run, questions(run)).items():
        assert text == (folder.path / name).read_text(), name


def test_one_patient_of_one_method_has_a_report(tmp_path: Path) -> None:
    one = RunFolder(tmp_path / "one")
    info = info_of({"a": "cam"}, ["morf-lerf"], 1)
    one.begin(info, make_cases(1))
    keep(one, [Record("P000-s10", "P000", "a", "morf-lerf", Status.OK, value=0.5, details={"gain": 0.4})])
    text = write_reports(one).read_text()
    one.close()
    assert "one patient" in text
    assert "a is the only explainer that could be ranked" in text


def test_a_folder_without_a_run_is_refused_in_one_sentence(tmp_path: Path) -> None:
    empty = RunFolder(tmp_path / "empty")
    with pytest.raises(XaibenchError, match=r"holds no run \(no run\.json\)"):
        write_reports(empty)
    empty.close()


def test_a_full_size_report_stays_below_six_megabytes(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", Plan(patients=4, size=128))
    size = write_reports(folder).stat().st_size
    folder.close()
    assert size < 6e6


def test_importing_reports_imports_no_plotting_and_no_statistics() -> None:
    code = "import sys, xaibench.reports; print([m for m in ('matplotlib', 'scipy', 'jinja2') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
