"""A scripted reader fills a page in headless Chromium and is scored."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.reports.readers.conftest import by_method
from xaibench.harness.store.folder import RunFolder
from xaibench.reports.readers import agreement, making, reading
from xaibench.reports.readers.formats import Key
from xaibench.reports.readers.questions import NAMES
from xaibench.reports.readers.results import ReaderResults
from xaibench.reports.readers.scoring import score_studies

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")


@pytest.fixture(scope="module")
def small(run: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("browser") / "study"
    making.make_study(run, out, making.Plan(methods=("mask", "random", "lime"), patients=3))
    return out


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Any, small: Path) -> Iterator[Any]:
    """The page of the first reader; anything in the console or on the network fails the test."""
    opened = browser.new_page(viewport={"width": 1280, "height": 1000})
    wrong: list[str] = []
    opened.on("console", lambda message: wrong.append(message.text))
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on(
        "request", lambda request: wrong.append(request.url) if request.url.startswith("http") else None
    )
    opened.goto((small / "reader-1.html").as_uri())
    yield opened
    opened.close()
    assert wrong == []


def draw_box(page: Any, left: float, top: float, right: float, bottom: float) -> None:
    """Draw a box, its ends given as shares of the image."""
    page.check("input[value=box]")
    canvas = page.locator("#canvas").bounding_box()
    page.mouse.move(canvas["x"] + left * canvas["width"], canvas["y"] + top * canvas["height"])
    page.mouse.down()
    page.mouse.move(canvas["x"] + right * canvas["width"], canvas["y"] + bottom * canvas["height"], steps=3)
    page.mouse.up()


def fill(page: Any, key: Key) -> None:
    for number, shown in enumerate(key.readers["reader-1"].shown, 1):
        assert page.inner_text("#progress").startswith(f"Map {number} of ")
        if page.is_visible("#drawing"):
            draw_box(page, 0.25, 0.25, 0.75, 0.5)
            page.keyboard.press("Enter")
        assert page.is_visible("#rating")
        for name in NAMES:
            page.keyboard.press(str(by_method(shown)[name]))
        page.keyboard.press("Enter")


def save(page: Any, path: Path) -> dict[str, Any]:
    with page.expect_download() as download:
        page.click("#save")
    assert download.value.suggested_filename == "ratings-reader-1.json"
    download.value.save_as(path)
    return json.loads(path.read_text())


def test_a_scripted_reader_fills_the_page_and_is_scored(
    page: Any, small: Path, run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agreement, "DRAWS", 10)
    key = reading.read_key(small)
    fill(page, key)
    assert page.is_visible("#finished")
    save(page, small / "ratings.json")
    score_studies(run, [small])
    found = ReaderResults.model_validate_json((run.path / "readers.json").read_text())
    for row in found.ratings:
        expected = {"mask": 5, "random": 1, "lime": 3}[row.method]
        assert row.rating.value == (6 - expected if row.question == "misleading" else expected)
    # The box covers 12 of 24 columns and 6 of 24 rows, to the pixel.
    area = next(row.overlap.value for row in found.overlaps if row.what == "a map without knowledge")
    assert area == pytest.approx(12 * 6 / 24**2)


def test_no_map_is_shown_before_the_drawing(page: Any) -> None:
    assert page.is_visible("#drawing")
    assert not page.is_visible("#rating")
    for pressed in ("Enter", "ArrowRight", "5"):
        page.keyboard.press(pressed)
    assert page.is_visible("#drawing")
    assert page.get_attribute("#map", "src") is None


def test_next_waits_for_all_three_answers(page: Any) -> None:
    page.click("#nothing")
    page.keyboard.press("4")
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    assert page.inner_text("#progress").startswith("Map 1 of")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("5")  # the second answer again
    page.keyboard.press("1")
    checked = page.eval_on_selector_all("#questions input:checked", "found => found.map((one) => one.value)")
    assert checked == ["4", "5", "1"]
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#progress").startswith("Map 2 of")
    page.keyboard.press("ArrowLeft")
    assert page.inner_text("#progress").startswith("Map 1 of")


def test_progress_outlives_the_page_and_a_file_brings_it_back(page: Any, tmp_path: Path) -> None:
    page.click("#nothing")
    for pressed in "321":
        page.keyboard.press(pressed)
    kept = save(page, tmp_path / "ratings.json")
    assert list(kept["rated"][0]["ratings"].values()) == [3, 2, 1]
    page.reload()
    assert page.is_visible("#rating")
    assert "; 1 rated" in page.inner_text("#progress")
    page.evaluate("localStorage.clear()")
    page.reload()
    assert page.is_visible("#drawing")
    page.set_input_files("#load", tmp_path / "ratings.json")
    page.wait_for_function("document.getElementById('message').textContent === 'Loaded.'")
    assert page.inner_text("#progress").startswith("Map 2 of")
    assert save(page, tmp_path / "again.json") == kept


def test_a_file_of_another_study_is_not_loaded(page: Any, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text('{"study": "other", "reader": "reader-1", "rated": [], "drawn": []}')
    page.set_input_files("#load", other)
    page.wait_for_function("document.getElementById('message').textContent.includes('another study')")
