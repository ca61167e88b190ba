"""The viewer's data: every case and map, the numbers of the records, names as text, and where the pictures stand."""

import base64
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.reports.made_up import NASTY, Plan, case_info, info_of, make_cases, make_run
from xaibench.api import XaibenchError
from xaibench.harness.store.folder import RunFolder
from xaibench.harness.store.run_info import CaseInfo
from xaibench.reports import write_reports
from xaibench.reports.pages import beside
from xaibench.reports.pages.viewer import rows
from xaibench.reports.pictures.gallery import chosen, shown_note
from xaibench.reports.pictures.outcome import misclassified

PICTURES = re.compile(r'<script type="application/json" data-pictures="(\d+)">(.*?)</script>', re.DOTALL)
INDEX = re.compile(r'<script type="application/json" id="viewer-index">(.*?)</script>', re.DOTALL)


@pytest.fixture(scope="module")
def index(report: str) -> dict[str, Any]:
    (text,) = INDEX.findall(report)
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.fixture(scope="module")
def pictures(report: str) -> list[dict[str, Any]]:
    found = PICTURES.findall(report)
    assert [int(number) for number, _ in found] == list(range(len(found)))
    return [json.loads(text) for _, text in found]


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunFolder]:
    """A run whose model is wrong about six of eight patients."""
    plan = Plan(8, methods={"lime": "cam"}, metrics=("gini", "throughput"), wrong=6)
    folder = make_run(tmp_path_factory.mktemp("wrong") / "run", plan)
    yield folder
    folder.close()


def test_every_map_of_every_case_is_in_the_page(
    folder: RunFolder, index: dict[str, Any], pictures: list[dict[str, Any]]
) -> None:
    names = [case.id for case in folder.info().cohort.cases]
    assert [case["name"] for case in index["cases"]] == names
    assert len(pictures) == len(names)
    for name, shown in zip(names, pictures, strict=True):
        for method, one in zip(index["methods"], shown["maps"], strict=True):
            found = folder.explanation(method, name)
            assert (one["png"] is None) == (found is None)
            if found is not None:
                assert np.abs(values_of(one) - found.heatmap).max() <= 0.51 * one["limit"] / 127


def values_of(one: dict[str, Any]) -> np.ndarray:
    read = np.asarray(Pillow.open(io.BytesIO(base64.b64decode(one["png"])))).astype(float)
    shares: np.ndarray = (read - 128) / 127 if one["signed"] else read / 255
    return one["limit"] * shares


def test_a_missing_map_says_why(index: dict[str, Any], pictures: list[dict[str, Any]]) -> None:
    one = pictures[1]["maps"][index["methods"].index("broken")]
    assert one["png"] is None
    assert one["words"] == "There is no map: ValueError: the method returned NaN or infinite values."


def test_values_are_those_of_the_records(folder: RunFolder, index: dict[str, Any]) -> None:
    records = {(r.case, r.metric, r.method): r.value for r in folder.records()}
    names = [one["name"] for one in index["metrics"]]
    assert "enrichment" in names
    assert "latency" not in names, "metrics that stand for no fact are left to the tables"
    for case in index["cases"]:
        for metric, row in zip(names, case["values"], strict=True):
            for method, value in zip(index["methods"], row, strict=True):
                expected = records[case["name"], metric, method]
                assert value == (None if expected is None else pytest.approx(expected, rel=1e-3))


def test_facts_of_a_case_are_those_of_the_folder(folder: RunFolder, index: dict[str, Any]) -> None:
    facts = index["cases"][0]
    assert (facts["patient"], facts["slice"], facts["shape"]) == ("P000", 10, [24, 24])
    assert facts["spacing"] == [0.8, 0.8]
    assert facts["about"].startswith(
        "The model predicts non-recurrent, the explained class, with a probability of 90 %"
    )
    assert index["cases"][1]["outline"] is None, "nobody annotated this patient"
    assert facts["outline"].startswith("M")


def test_names_are_text_and_cannot_end_the_data(report: str, index: dict[str, Any]) -> None:
    assert NASTY in index["methods"]
    text = beside.json_text({"name": "</script><script>alert(1)//<!--"})
    assert "<" not in text
    assert json.loads(text)["name"].startswith("</script>")
    (script,) = re.findall(r'<script id="behaviour">(.*?)</script>', report, re.DOTALL)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(", script)


def test_the_table_has_a_row_a_case_with_what_it_is_filtered_by(folder: RunFolder, report: str) -> None:
    found = rows(folder.info())
    marked = re.findall(
        r'<tr data-case="(\d+)" data-row data-explained="(.*?)" data-outcome="(.*?)" data-size="(.*?)">',
        report,
    )
    assert marked == [(str(number), row.explained, row.outcome, row.size) for number, row in enumerate(found)]
    assert {row.size for row in found} == {"small", "medium", "large", "-"}
    assert [row.size for row in found if row.pixels is None] == ["-"]


def test_misclassified_cases_are_always_shown(wrong: RunFolder) -> None:
    info, cases = wrong.info(), wrong.cases()
    names = {case.id for case in misclassified(info)}
    assert len(names) == 6
    shown = names.intersection(chosen(info, cases))
    assert len(shown) == 4
    assert shown_note(info, cases) == "4 of the 6 misclassified cases are shown."


def test_a_single_misclassified_case_is_shown_whatever_the_classes() -> None:
    cases = [case_info(number, right=number != 7) for number in range(8)]
    info = info_of({"a": "cam"}, ["gini"], [*cases[:7], unsure_mistake(cases[7])])
    assert [case.id for case in misclassified(info)] == ["P007-s17"]
    assert chosen(info, make_cases(8))[-1] == "P007-s17"
    assert shown_note(info, make_cases(8)) == "The one misclassified case is shown."
    assert len(chosen(info, make_cases(8))) == 5


def unsure_mistake(case: CaseInfo) -> CaseInfo:
    return case.model_copy(update={"scores": (0.4, 0.6), "target": 0})


def test_the_surest_mistake_comes_first() -> None:
    cases = [case_info(0), case_info(1, right=False), unsure_mistake(case_info(2))]
    info = info_of({"a": "cam"}, ["gini"], cases)
    assert [case.id for case in misclassified(info)] == ["P001-s11", "P002-s12"]


def test_where_classes_do_not_exclude_each_other_the_explained_class_is_judged() -> None:
    has = case_info(0).model_copy(update={"labels": (1,), "target": 1, "scores": (0.9, 0.8)})
    missed = has.model_copy(update={"id": "missed", "scores": (0.9, 0.2)})
    alarm = has.model_copy(update={"id": "alarm", "labels": ()})
    info = info_of({"a": "cam"}, ["gini"], [has, missed, alarm], exclusive=False)
    assert [row.outcome for row in rows(info)] == ["right", "wrong", "wrong"]


def test_a_case_without_a_label_is_neither_right_nor_wrong() -> None:
    info = info_of({"a": "cam"}, ["gini"], [case_info(0).model_copy(update={"labels": ()})])
    assert [row.outcome for row in rows(info)] == ["no label"]
    assert not misclassified(info)


def with_pictures(path: Path, page: str) -> list[bytes]:
    """Pictures of a page in their order, wherever they stand."""
    return [
        (path / one).read_bytes() if one.startswith("report/") else base64.b64decode(one.split(",")[1])
        for one in re.findall(r'src="((?:report/|data:image/png)[^"]*)"', page)
    ]


def test_no_text_of_a_run_is_taken_for_a_picture(tmp_path: Path) -> None:
    text = 'x src=&#34;data:image/png;base64,A" url(data:image/png;base64,A)'
    assert beside.moved(tmp_path, text) == text


def test_large_pictures_stand_beside_the_page(wrong: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    page = write_reports(wrong).read_text()
    inside = PICTURES.findall(page)
    assert page.count('data-outcome="wrong"') == 6
    monkeypatch.setattr(beside, "INSIDE", 3000)
    large = write_reports(wrong).read_text()
    assert not PICTURES.findall(large)
    files = sorted((wrong.path / "report").glob("case-*"))
    assert [file.name for file in files] == [f"case-{number}.js" for number in range(8)]
    assert with_pictures(wrong.path, PICTURES.sub("", page)) == with_pictures(wrong.path, large)
    for (number, text), file in zip(inside, files, strict=True):
        assert file.read_text() == f"xaibenchPictures({number},{text});\n"
    monkeypatch.undo()
    assert beside.placed(wrong.path, [{"maps": []}]) == ['{"maps":[]}']
    assert not (wrong.path / "report").exists(), "files of the earlier report are gone"


def test_files_that_the_report_did_not_write_stay(tmp_path: Path) -> None:
    notes = tmp_path / "report" / "notes.txt"
    notes.parent.mkdir()
    notes.write_text("mine")
    assert beside.placed(tmp_path, [{"maps": []}]) == ['{"maps":[]}']
    assert notes.read_text() == "mine"


def test_a_single_file_has_a_largest_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "INSIDE", 10)
    assert len(beside.placed(tmp_path, [{"slice": "x" * 50}] * 3, single_file=True)) == 3
    monkeypatch.setattr(beside, "SINGLE_FILE", 100)
    with pytest.raises(XaibenchError, match="leave out --single-file"):
        beside.placed(tmp_path, [{"slice": "x" * 50}] * 3, single_file=True)
    assert not list(tmp_path.iterdir())
