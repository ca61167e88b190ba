"""Cases in words, as the run folder and the page hold them."""

import html
import re

import pandas as pd
import pytest

from tests.reports.made_up import METHODS, NASTY
from xaibench.harness.store.folder import RunFolder
from xaibench.reports.in_words.cases import InWords, in_words
from xaibench.reports.pictures.gallery import chosen
from xaibench.reports.scoring.results import read


@pytest.fixture(scope="module")
def told(folder: RunFolder) -> dict[str, InWords]:
    return in_words(folder, read(folder))


def test_every_case_and_method_has_a_row(folder: RunFolder, told: dict[str, InWords]) -> None:
    rows = pd.read_csv(folder.path / "words.csv")
    cases = [case.id for case in folder.info().cohort.cases]
    assert list(rows) == ["case", "method", "text"]
    assert list(zip(rows["case"], rows["method"], strict=True)) == [
        (c, m) for c in cases for m in sorted(METHODS)
    ]
    assert rows["text"][0] == f"{told[cases[0]].maps[sorted(METHODS)[0]]} {told[cases[0]].model}"


def test_the_gallery_tells_its_cases_in_words(
    folder: RunFolder, report: str, told: dict[str, InWords]
) -> None:
    info, cases = folder.info(), folder.cases()
    found = re.findall(r"<summary>In words</summary>(.*?)</details>", report, re.DOTALL)
    names = chosen(info, cases)
    assert len(found) == len(names) == 4
    for name, text in zip(names, map(html.unescape, found), strict=True):
        assert told[name].model in text
        assert all(f"<b>{method}</b>: {told[name].maps[method]}</li>" in text for method in METHODS)


def test_controls_and_nothing_else_are_called_controls(told: dict[str, InWords]) -> None:
    for words in told.values():
        named = {method for method, text in words.maps.items() if text.startswith("Control: ")}
        assert named == {"random", "edges", "mask"}


def test_a_missing_map_is_told_with_its_reason(told: dict[str, InWords]) -> None:
    maps = told["P001-s11"].maps
    assert maps["broken"] == "There is no map: ValueError: the method returned NaN or infinite values."
    assert maps["mask"] == "Control: There is no map: the case has no annotated region."
    assert "not measured: the case has no annotated region. " in maps[NASTY]


def test_an_all_zero_map_prefers_nothing(told: dict[str, InWords]) -> None:
    assert told["P000-s10"].maps["stacked-feature-maps"] == "The map is zero everywhere: it prefers nothing."


def test_values_are_those_of_the_case_and_method(folder: RunFolder, told: dict[str, InWords]) -> None:
    shares = {
        (r.case, r.method): r.value
        for r in folder.records()
        if r.metric == "relevance-mass" and r.value is not None and r.value >= 0.1
    }
    assert len(shares) > 20
    for (case, method), share in shares.items():
        text = told[case].maps[method]
        assert f"{100 * share:.0f} % of the positive mass" in text or "everywhere" in text


def test_sentences_are_few_and_short(told: dict[str, InWords]) -> None:
    for words in told.values():
        for text in words.maps.values():
            sentences = re.split(r"(?<=\.) ", f"{text} {words.model}")
            assert 2 <= len(sentences) <= 4
            assert max(map(len, sentences)) < 200
