"""The report in headless Chromium: clicks, keys, colours, wide and narrow; skipped where there is no browser."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.reports.made_up import NASTY, Plan, make_run
from xaibench.harness.store.folder import RunFolder
from xaibench.reports import write_reports
from xaibench.reports.pages import beside

playwright = pytest.importorskip(
    "playwright.sync_api", reason="needs the group `browser`: uv sync --group browser"
)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium on the path")
METHODS = {"lime": "perturbation", "grad-cam": "cam", NASTY: "cam", "blind": "attention", "random": "control"}
WIDE, NARROW = (1280, 900), (390, 800)

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunFolder]:
    plan = Plan(6, methods=METHODS, metrics=("gini", "enrichment", "throughput"), wrong=1)
    folder = make_run(tmp_path_factory.mktemp("browser") / "run", plan)
    write_reports(folder)
    yield folder
    folder.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture
def opened(browser: Any, made: RunFolder) -> Iterator[Open]:
    """Open the report; any error, also one on the console alone, fails the test."""
    contexts, said = [], []

    def open_page(path: Path = made.path, size: tuple[int, int] = WIDE, **options: Any) -> Any:
        context = browser.new_context(viewport=dict(zip(("width", "height"), size, strict=True)), **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: message.type == "error" and said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto((path / "report.html").as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []


@pytest.fixture
def page(opened: Open) -> Any:
    found = opened()
    found.wait_for_selector("#viewer[data-drawn]")
    return found


def press(page: Any, *keys: str) -> None:
    page.focus('#viewer [data-do="next"]')
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_timeout(150)


def part(page: Any, name: str) -> Any:
    return page.locator(f'#viewer [data-part="{name}"]').first


def pixels(page: Any, panel: int = 0) -> np.ndarray:
    """Colours on the canvas of a panel, `h w 3`."""
    size = "c.width, c.height"
    found = page.evaluate(
        "n => { const c = document.querySelectorAll('#viewer canvas')[n];"
        f" return [c.height, c.width, ...c.getContext('2d').getImageData(0, 0, {size}).data]; }}",
        panel,
    )
    return np.array(found[2:]).reshape(found[0], found[1], 4)[..., :3]


def shown_cases(page: Any) -> list[str]:
    rows = page.locator("#case-table tbody tr:visible th")
    return [text.strip() for text in rows.all_inner_texts()]


def test_arrows_step_through_the_cases_and_stop_at_the_ends(page: Any) -> None:
    names = shown_cases(page)
    assert part(page, "name").inner_text() == names[0] == "P000-s10"
    press(page, "ArrowRight", "ArrowRight")
    assert part(page, "name").inner_text() == names[2]
    assert part(page, "place").inner_text() == "3 of 6"
    press(page, *["ArrowLeft"] * 5)
    assert part(page, "name").inner_text() == names[0]


def test_worst_first_puts_the_lowest_value_of_the_left_map_first(page: Any) -> None:
    press(page, "w")
    values = page.locator("#case-table tbody tr td:last-child").all_inner_texts()
    numbers = [float(text) for text in values if text != "-"]
    assert numbers == sorted(numbers)
    assert values.index("-") == len(numbers), "a case without a value stands last"
    assert part(page, "name").inner_text() == shown_cases(page)[0]
    press(page, "w")
    assert shown_cases(page)[0] == "P000-s10"


def test_filters_hide_rows_and_the_viewer_follows(page: Any) -> None:
    page.select_option('[data-filter="outcome"]', "wrong")
    assert shown_cases(page) == ["P000-s10"]
    page.select_option('[data-filter="outcome"]', "right")
    assert len(shown_cases(page)) == 5
    assert part(page, "name").inner_text() == shown_cases(page)[0]
    assert part(page, "about").inner_text().endswith("is right.")


def test_without_opacity_the_slice_stands_alone_and_with_it_the_map_is_seen(page: Any) -> None:
    coloured = pixels(page)
    assert np.ptp(coloured, axis=-1).max() > 50
    press(page, *["o"] * 20)
    grey = pixels(page)
    assert (np.ptp(grey, axis=-1) == 0).all()
    assert part(page, "opacity-value").inner_text() == "0 %"


def test_the_threshold_leaves_the_slice_below_it(page: Any) -> None:
    before = pixels(page)
    press(page, *["T"] * 10)
    after = pixels(page)
    grey = np.ptp(after, axis=-1) == 0
    assert part(page, "threshold-value").inner_text().startswith("50 %")
    assert (after[~grey] == before[~grey]).all()
    assert grey.mean() > (np.ptp(before, axis=-1) == 0).mean()


def test_without_the_slice_the_map_has_the_colours_of_the_gallery(page: Any, made: RunFolder) -> None:
    press(page, "s")
    method = part(page, "method").locator("option:checked").inner_text()
    explanation = made.explanation(method, "P000-s10")
    assert explanation is not None
    place = np.unravel_index(explanation.heatmap.argmax(), explanation.heatmap.shape)
    lightness = pixels(page).sum(axis=-1)
    assert lightness[place] == lightness.max()


def test_brackets_choose_the_methods_of_both_sides(page: Any) -> None:
    sides = page.locator('#viewer [data-part="method"]')
    left, right = (sides.nth(n).input_value() for n in (0, 1))
    press(page, "]", "}", "}")
    assert sides.nth(0).input_value() != left
    assert sides.nth(1).input_value() != right
    press(page, "[", "{", "{")
    assert [sides.nth(n).input_value() for n in (0, 1)] == [left, right]


def test_a_name_from_the_run_is_text_and_a_missing_map_says_why(page: Any) -> None:
    page.select_option('#viewer [data-part="method"] >> nth=0', label=NASTY)
    assert NASTY in page.locator('#case-table [data-part="value"]').inner_text()
    page.select_option('#viewer [data-part="method"] >> nth=0', label="blind")
    page.wait_for_timeout(150)
    assert "There is no map: the method needs attention" in part(page, "words").inner_text()
    assert (np.ptp(pixels(page), axis=-1) == 0).all()


def test_zoom_keeps_the_middle_and_the_scale_bar_its_length_in_mm(page: Any) -> None:
    def per_mm() -> float:
        ruler = part(page, "ruler")
        return float(ruler.bounding_box()["width"]) / float(ruler.inner_text().removesuffix(" mm"))

    before = per_mm()
    width = part(page, "stage").bounding_box()["width"]
    assert before == pytest.approx(width / (24 * 0.8), rel=0.02)
    press(page, "+", "+")
    assert per_mm() == pytest.approx(2 * before, rel=0.02)
    middle = part(page, "window").evaluate("w => (w.scrollLeft + w.clientWidth / 2) / w.scrollWidth")
    assert middle == pytest.approx(0.5, abs=0.01)
    press(page, "Shift+ArrowRight")
    both = page.locator('#viewer [data-part="window"]').evaluate_all("all => all.map(w => w.scrollLeft)")
    assert both[0] == both[1] > 0


def test_the_outline_is_of_two_tones_and_can_be_hidden(page: Any) -> None:
    colours = page.eval_on_selector_all(
        "#viewer [data-panel='0'] path", "all => all.map(p => getComputedStyle(p).stroke)"
    )
    assert colours == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    assert part(page, "outline").is_visible()
    press(page, "l")
    assert not part(page, "outline").is_visible()


def test_a_question_mark_tells_the_keys(page: Any) -> None:
    press(page, "?")
    assert part(page, "help").is_visible()
    page.keyboard.press("Escape")
    assert not part(page, "help").is_visible()


def test_tables_are_sorted_and_filtered(page: Any) -> None:
    table = page.locator("#leaderboard table.sortable").nth(1)
    head = table.locator("thead th[data-column]", has_text="gini")
    head.locator("button").click()
    rows = table.locator("tbody").first.locator("tr[data-row]")
    column = int(head.get_attribute("data-column"))
    cells = rows.evaluate_all(f"all => all.map(row => row.cells[{column}].textContent)")
    numbers = [float(found[0]) for cell in cells if (found := re.match(r"[\d.]+", cell))]
    assert len(numbers) > 1
    assert numbers == sorted(numbers)
    field = page.locator("#leaderboard input[type=search]").nth(1)
    field.fill("lim")
    assert table.locator("tr[data-row]:visible th").all_inner_texts() == ["lime"]


def test_a_group_of_cases_is_one_column(page: Any) -> None:
    page.locator("[data-groups] summary").first.click()
    choice = page.locator("[data-groups] select")
    titles = choice.locator("option").all_inner_texts()
    choice.select_option(titles[1])
    heads = page.locator("[data-groups] table").first.locator("thead th:visible").all_inner_texts()
    assert heads == ["method", titles[1]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_nothing_is_wider_than_the_window(opened: Open, size: tuple[int, int], scheme: str) -> None:
    page = opened(size=size, color_scheme=scheme)
    page.wait_for_selector("#viewer[data-drawn]")
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    red, green, blue = page.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    )
    assert (red + green + blue < 200) == (scheme == "dark")


def test_without_scripts_the_page_is_whole(opened: Open) -> None:
    page = opened(java_script_enabled=False)
    assert not page.locator("#viewer").is_visible()
    assert not page.locator("#case-filters").is_visible()
    assert page.locator("#case-table tbody tr").count() == 6
    assert page.locator("#gallery .case").count() == 4
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the content"


def test_pictures_beside_the_page_are_loaded_when_needed(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run(tmp_path / "run", Plan(3, methods={"lime": "cam"}, metrics=("gini", "throughput")))
    monkeypatch.setattr(beside, "INSIDE", 100)
    write_reports(folder)
    folder.close()
    page = opened(folder.path)
    page.wait_for_selector("#viewer[data-drawn]")
    loaded = "[...document.querySelectorAll('script[src]')].map(s => s.getAttribute('src'))"
    assert page.evaluate(loaded) == ["report/case-0.js"]
    press(page, "ArrowRight")
    assert page.evaluate(loaded) == ["report/case-0.js", "report/case-1.js"]
    assert np.ptp(pixels(page), axis=-1).max() > 50
