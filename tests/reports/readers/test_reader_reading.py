"""Files of ratings are written by strangers: what does not fit is refused in one sentence."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.reports.readers.conftest import answered, copy_of
from xaibench.api import XaibenchError
from xaibench.reports.readers import reading
from xaibench.reports.readers.formats import MOST_POINTS, Key

Change = Callable[[dict[str, Any]], object]


def drop(values: dict[str, Any]) -> None:
    del values["rated"][:2]


CHANGES: dict[str, tuple[Change, str]] = {
    "another study": (lambda v: v.update(study="0" * 16), "is of another study"),
    "another reader": (
        lambda v: v.update(reader="reader-9"),
        "is of reader-9, for whom this study has no page",
    ),
    "missing maps": (drop, "lacks 2 of"),
    "a missing drawing": (lambda v: v["drawn"].pop(), "lacks 1 of 6 drawings"),
    "a map twice": (lambda v: v["rated"].append(v["rated"][0]), "twice"),
    "a drawing twice": (lambda v: v["drawn"].append(v["drawn"][0]), "twice"),
    "an unknown map": (lambda v: v["rated"][0].update(item="0" * 12), "which the key does not know"),
    "an unknown image": (lambda v: v["drawn"][0].update(image="0" * 12), "which the key does not know"),
    "a rating of 6": (lambda v: v["rated"][0]["ratings"].update(useful=6), "less than or equal to 5"),
    "a rating of 0": (lambda v: v["rated"][0]["ratings"].update(useful=0), "greater than or equal to 1"),
    "half a rating": (lambda v: v["rated"][0]["ratings"].update(useful=2.5), "valid integer"),
    "a text": (lambda v: v["rated"][0]["ratings"].update(useful="5"), "valid integer"),
    "a missing answer": (
        lambda v: v["rated"][0]["ratings"].pop("useful"),
        "must have one rating for each of",
    ),
    "another question": (
        lambda v: v["rated"][0]["ratings"].update(nice=5),
        "must have one rating for each of",
    ),
    "another field": (lambda v: v.update(method="lime"), "extra inputs"),
    "another format": (lambda v: v.update(format=2), "format: input should be 1"),
    "a path for a name": (
        lambda v: v.update(reader="../../etc/passwd"),
        "reader: string should match pattern",
    ),
    "two corners": (lambda v: v["drawn"][0].update(outlines=[[[1, 1], [2, 2]]]), "at least 3 items"),
    "a corner far away": (
        lambda v: v["drawn"][0].update(outlines=[[[1, 1], [2, 2], [1, 1e9]]]),
        "less than or equal",
    ),
    "a corner before": (
        lambda v: v["drawn"][0].update(outlines=[[[1, 1], [2, 2], [1, -1]]]),
        "greater than or equal",
    ),
    "too many corners": (
        lambda v: v["drawn"][0].update(outlines=[[[1, 1]] * (MOST_POINTS + 1)]),
        "at most 5000 items",
    ),
    "too many outlines": (lambda v: v["drawn"][0].update(outlines=[[[1, 1]] * 3] * 51), "at most 50 items"),
    "no object": (lambda v: v.clear(), "field required"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_does_not_fit_is_refused_in_a_sentence(study: Path, key: Key, tmp_path: Path, name: str) -> None:
    change, sentence = CHANGES[name]
    folder = copy_of(study, tmp_path, answered(key, "reader-1"))
    file = folder / "ratings 0.json"
    values = json.loads(file.read_text())
    change(values)
    file.write_text(json.dumps(values))
    with pytest.raises(XaibenchError) as refused:
        reading.read_ratings(folder, key)
    assert sentence in str(refused.value)
    assert str(refused.value).startswith(str(file))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "{", "[" * 5000, "NaN", '"text"', "\x00", '{"format": 1e999}'])
def test_what_is_no_json_is_refused(study: Path, key: Key, tmp_path: Path, text: str) -> None:
    folder = copy_of(study, tmp_path)
    (folder / "ratings.json").write_text(text)
    with pytest.raises(XaibenchError, match="is not a file of ratings"):
        reading.read_ratings(folder, key)


def test_large_files_and_links_are_not_read(
    study: Path, key: Key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy_of(study, tmp_path, answered(key, "reader-1"))
    monkeypatch.setattr(reading, "MOST_BYTES", 100)
    with pytest.raises(XaibenchError, match="is larger than"):
        reading.read_ratings(folder, key)
    (folder / "ratings 0.json").unlink()
    (folder / "ratings.json").symlink_to("/etc/passwd")
    with pytest.raises(XaibenchError, match="is no regular file"):
        reading.read_ratings(folder, key)


def test_two_files_of_one_reader_and_none_at_all_are_refused(study: Path, key: Key, tmp_path: Path) -> None:
    one = answered(key, "reader-1")
    with pytest.raises(XaibenchError, match="holds two files of reader-1"):
        reading.read_ratings(copy_of(study, tmp_path / "two", one, one), key)
    with pytest.raises(XaibenchError, match="holds no ratings"):
        reading.read_ratings(copy_of(study, tmp_path / "none"), key)
    with pytest.raises(XaibenchError, match=r"holds no key\.json"):
        reading.read_key(tmp_path)


def test_what_fits_is_read_by_reader(study: Path, key: Key, tmp_path: Path) -> None:
    second, first = answered(key, "reader-2"), answered(key, "reader-1")
    folder = copy_of(study, tmp_path, second, first)
    assert reading.read_key(folder) == key
    assert reading.read_ratings(folder, key) == [first, second]
