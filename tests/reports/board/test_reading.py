"""Entries of strangers: what was changed is told, what is too large or no entry is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.reports.board.made_up_board import forged
from xaibench.api import XaibenchError
from xaibench.reports.board import bounds
from xaibench.reports.board.bounds import parsed
from xaibench.reports.board.entry import Row, content_hash
from xaibench.reports.board.reading import read_entry


def test_a_changed_score_does_not_fit_the_name(entry_file: Path) -> None:
    text = entry_file.read_text()
    place = text.index('"score": 0.') + len('"score": 0.')
    entry_file.write_text(text[:place] + ("8" if text[place] == "9" else "9") + text[place + 1 :])
    with pytest.raises(XaibenchError, match="was changed"):
        read_entry(entry_file)


def test_a_changed_row_does_not_fit_the_checksum(entry_file: Path) -> None:
    rows = entry_file.with_suffix(".jsonl")
    rows.write_text(rows.read_text().replace('"score": 0.', '"score": 0.9', 1))
    with pytest.raises(XaibenchError, match="checksum"):
        read_entry(entry_file)


def test_scores_that_do_not_follow_from_the_rows_are_told(entry_file: Path) -> None:
    document = json.loads(entry_file.read_text())
    document["evaluation_results"][0]["score_details"]["score"] += 0.01
    with pytest.raises(XaibenchError, match="does not follow from the rows"):
        read_entry(renamed(entry_file, document))


def renamed(path: Path, document: dict[str, Any]) -> Path:
    """Entry with another content under the name that fits it."""
    text = json.dumps(document).encode()
    new = path.with_name(f"{content_hash(text)}.json")
    new.write_bytes(text)
    new.with_suffix(".jsonl").write_bytes(path.with_suffix(".jsonl").read_bytes())
    return new


def set_name(document: dict[str, Any]) -> None:
    methods = document["xaibench"]["methods"]
    methods["../../etc/passwd"] = methods.pop("lime")


def set_family(document: dict[str, Any]) -> None:
    document["xaibench"]["methods"]["lime"]["family"] = "x" * 3000


def set_unknown(document: dict[str, Any]) -> None:
    document["xaibench"]["on_load"] = "import os"


def set_version(document: dict[str, Any]) -> None:
    document["xaibench"]["entry_version"] = 2


def set_package(document: dict[str, Any]) -> None:
    document["xaibench"]["metrics"]["gini"]["package"] = " "


def set_seed(document: dict[str, Any]) -> None:
    document["xaibench"]["spec"]["seed"] = "x"


def set_probabilities(document: dict[str, Any]) -> None:
    document["xaibench"]["cohort"]["cases"][0]["scores"] = [1.0]


@pytest.mark.parametrize(
    "change",
    [set_name, set_family, set_unknown, set_version, set_package, set_seed, set_probabilities],
)
def test_what_is_no_entry_is_refused(change: Callable[[dict[str, Any]], None], entry_file: Path) -> None:
    document = json.loads(entry_file.read_text())
    change(document)
    with pytest.raises(XaibenchError, match=r"is no (entry|JSON)"):
        read_entry(renamed(entry_file, document))


def repeat(section: dict[str, Any], rows: list[Row]) -> list[Row]:
    return [*rows, rows[-1]]


def foreign(section: dict[str, Any], rows: list[Row]) -> list[Row]:
    return [rows[0].model_copy(update={"patient_id": "somebody-else"}), *rows[1:]]


def test_rows_that_do_not_fit_the_entry_are_refused(entry_file: Path) -> None:
    for change in (repeat, foreign):
        with pytest.raises(XaibenchError, match="repeated, or does not fit"):
            read_entry(forged(entry_file, change))


def test_a_score_outside_the_range_is_refused(entry_file: Path) -> None:
    def impossible(section: dict[str, Any], rows: list[Row]) -> list[Row]:
        first = next(row for row in rows if row.metric == "gini")
        return [row.model_copy(update={"score": 1.5}) if row == first else row for row in rows]

    with pytest.raises(XaibenchError, match=r"1\.5 is outside the range of gini"):
        read_entry(forged(entry_file, impossible))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"a": NaN}', "NaN is no number"),
        ('{"a": 1e999}', "not finite"),
        ("[" * 100_000, "no JSON"),
        ("[" * 20 + "]" * 20, "nested deeper"),
        ('"' + "x" * 2001 + '"', "longer than 2000"),
        (json.dumps([0] * 20_001), "more than 20000 parts"),
        ("\ud800".encode("utf-8", "surrogatepass").decode("latin1"), "no JSON"),
    ],
)
def test_a_file_is_bounded(text: str, why: str) -> None:
    with pytest.raises(XaibenchError, match=why):
        parsed(text.encode("latin1"), "x.json")


def test_large_files_and_links_are_not_opened(entry_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = entry_file.with_name("f" * 32 + ".json")
    link.symlink_to(entry_file)
    with pytest.raises(XaibenchError, match="no regular file"):
        read_entry(link)
    monkeypatch.setattr(bounds, "MOST_BYTES", 1000)
    with pytest.raises(XaibenchError, match="is larger than"):
        read_entry(entry_file)
