"""The page of a reader: blinded, the same rendering for all, offline."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.reports.made_up import METHODS
from tests.reports.readers.conftest import page_content, shown_methods
from xaibench.api import XaibenchError
from xaibench.harness.store.folder import RunFolder
from xaibench.reports.pictures.pictures import heatmap_picture
from xaibench.reports.readers.formats import Key
from xaibench.reports.readers.making import Plan, make_study
from xaibench.reports.readers.page import map_source, reader_page

PAGES = ("reader-1.html", "reader-2.html")


@pytest.mark.parametrize("name", PAGES)
def test_the_page_names_no_method_case_or_patient(study: Path, run: RunFolder, name: str) -> None:
    text = (study / name).read_text()
    visible = re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", text).lower()
    cases = run.info().cohort.cases
    told = {case.id for case in cases} | {case.patient for case in cases}
    told |= {text[:12] for info in (*run.info().methods.values(), run.info().model) for text in [info.key]}
    # "mask", "random" and "edges" are words of English, so that only what is between quotes could be names.
    assert not [name for name in told if name.lower() in visible]
    assert not [name for name in METHODS if f'"{name.lower()}"' in visible]
    assert not [name for name in ("grad-cam", "lime", "occlusion", "stacked", "control") if name in visible]


@pytest.mark.parametrize("name", PAGES)
def test_all_items_have_the_same_fields_and_nothing_of_the_key(study: Path, key: Key, name: str) -> None:
    content = page_content(study / name)
    assert {frozenset(item) for item in content["items"]} == {frozenset({"item", "image", "source"})}
    assert {frozenset(image) for image in content["images"].values()} == {
        frozenset({"source", "width", "height", "class"})
    }
    shown = key.readers[name.removesuffix(".html")].shown
    assert [item["item"] for item in content["items"]] == [one.item for one in shown]
    assert "repeats" not in (study / name).read_text()


def test_a_repeat_looks_like_any_other_item(study: Path, key: Key) -> None:
    content = page_content(study / "reader-1.html")
    source = {item["item"]: item["source"] for item in content["items"]}
    repeats = [one for one in key.readers["reader-1"].shown if one.repeats]
    assert len(repeats) == -(-len([s for s in key.readers["reader-1"].shown if not s.repeats]) // 10)
    assert all(source[one.item] == source[one.repeats] for one in repeats)


def test_maps_are_drawn_by_one_rule() -> None:
    rng = np.random.default_rng(0)
    signed = rng.normal(size=(8, 8)).astype(np.float32)
    positive = np.maximum(signed, 0)
    # Neither signs nor scales tell the methods apart.
    assert map_source(signed) == map_source(positive) == map_source(7 * positive)
    assert map_source(positive) == heatmap_picture(positive, None).src


def test_the_page_reaches_for_nothing_outside_itself(study: Path) -> None:
    text = (study / "reader-1.html").read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; img-src data:;")
    assert not re.findall(r"https?://|fetch\(|XMLHttpRequest|sendBeacon|WebSocket|import\(", text)
    assert re.findall(r'<(?:script|link|img)[^>]* (?:src|href)="(?!data:)', text) == []


def test_names_of_the_cohort_are_text_and_nothing_else(run: RunFolder, key: Key) -> None:
    nasty = "</script><script>alert(1)</script>"
    cases = {name: replace(case, region_name=nasty) for name, case in run.cases().items()}
    heatmap = np.ones((24, 24), np.float32)
    text = reader_page(
        key.study,
        "reader-1",
        key.readers["reader-1"],
        cases,
        dict.fromkeys(cases, nasty),
        lambda method, case: heatmap,
    )
    assert nasty not in text
    assert text.count("</script>") == 2


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_study(
    study: Path, run: RunFolder, tmp_path: Path
) -> None:
    again = make_study(run, tmp_path / "again", Plan(readers=2))
    other = make_study(run, tmp_path / "other", Plan(readers=2, seed=1))
    assert again.pages[0].read_bytes() == (study / "reader-1.html").read_bytes()
    assert again.key.read_bytes() == (study / "key.json").read_bytes()
    assert json.loads(other.key.read_text())["study"] != json.loads(again.key.read_text())["study"]


def test_all_methods_with_maps_are_shown_or_those_that_are_named(
    key: Key, run: RunFolder, tmp_path: Path
) -> None:
    assert set(key.methods) == shown_methods()
    named = make_study(run, tmp_path / "named", Plan(methods=("lime", "mask"), patients=3))
    found = Key.model_validate_json(named.key.read_text())
    assert set(found.methods) == {"lime", "mask"}
    assert len(found.cases) == 3


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        (Plan(methods=("limes",)), "There is no method of this run 'limes'; did you mean 'lime'?"),
        (Plan(methods=("blind",)), "holds no maps to show"),
        (Plan(repeated=0.5), "repeats are a share of 0 to 1/3"),
    ],
)
def test_what_cannot_be_made_is_said(run: RunFolder, tmp_path: Path, plan: Plan, sentence: str) -> None:
    with pytest.raises(XaibenchError, match=re.escape(sentence)):
        make_study(run, tmp_path / "study", plan)
    assert not (tmp_path / "study").exists()


def test_a_study_is_never_overwritten(run: RunFolder, study: Path) -> None:
    with pytest.raises(XaibenchError, match="holds a reader study already"):
        make_study(run, study, Plan())
