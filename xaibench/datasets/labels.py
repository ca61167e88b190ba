"""Labels of patients, or of images, from a CSV file."""

import csv
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from xaibench.api import XaibenchError
from xaibench.datasets.notes import Note

DEFAULT_FILES = ("clinical.csv", "labels.csv")
MEANING = {"patient": "PatientID", "image": "file name"}
NO_LABEL = {"", "na", "n/a", "nan", "none", "null"}
BETWEEN = "|"
"""Stands between several labels of one image, as in the tables of ChestX-ray14."""
NO_FINDING = {"no finding", "no findings"}
"""What stands in such a table for an image that shows none of the classes."""


@dataclass(frozen=True)
class Labels:
    """Label of each patient, and what the labels mean."""

    names: tuple[str, ...]
    """Names of the labels 0, 1, ..."""
    of: Mapping[str, tuple[int, ...]]
    """Labels by PatientID, or by what else the table names: identifying, never shown."""
    rows: dict[str, int]
    """Line of the file by the same."""
    file: str
    """Name of the file, for sentences."""
    notes: tuple[Note, ...]
    blank: frozenset[str] = frozenset()
    """Those whose line holds no label: left out on purpose."""
    key: str = "patient"
    """Column that names them."""
    owners: Mapping[str, str] = field(default_factory=dict)
    """Patient by image, where images are named and the table has a column of patients."""

    def unknown(self, held: Collection[str]) -> list[Note]:
        """Note the lines that name what a folder does not hold."""
        lines = [str(self.rows[name]) for name in self.of if name not in held]
        what = f"{len(lines)} {self.key}s that the folder does not hold (lines {', '.join(lines)})"
        return [Note(f"{self.file} labels {what}.")] if lines else []


def read_labels(root: Path, file: Path | None, keys: Sequence[str] = ("patient",)) -> Labels:
    """Read the columns `patient` (kept as text: 007 keeps its zeros), `label`, and `label_name` if there is one.

    A label is a whole number from 0, or a word: words become 0, 1, ... in alphabetical order. `effusion|mass` is two
    labels, and `No Finding` beside such ones is none. Rows without a label are left out, and so is a patient with two
    different ones. The first of the columns `keys` that there is takes the place of `patient`. Raises XaibenchError if
    there is no such file, no such column or no label at all.
    """
    path = file or default_file(root)
    if path is None or not path.is_file():
        raise XaibenchError(
            f"{path or root} holds no labels; write a CSV file with the columns {keys[0]},label ({MEANING[keys[0]]} "
            f"and class) to {root / DEFAULT_FILES[1]}, or give its place with --labels."
        )
    rows, key = _rows(path, keys)
    texts, lines, notes = _texts(rows, path.name, key)
    if not texts:
        raise XaibenchError(f"{path} labels no {key}; fill its columns {key} and label.")
    of, words = _numbers(texts)
    names = _names(of, words, rows, key)
    kinds = set(of.values())
    if len(kinds) == 1 and len(first := kinds.pop()) == 1:
        only = names[first[0]]
        text = f"{path.name} holds one class only ({only}), so accuracy says nothing here."
        notes.append(Note(text, problem=False))
    blank = frozenset(row[key].strip() for row in rows) - set(lines)
    owners = {
        row[key].strip(): owner
        for row in rows
        if key != "patient" and (owner := row.get("patient", "").strip())
    }
    return Labels(names, of, lines, path.name, tuple(notes), blank, key, owners)


def default_file(root: Path) -> Path | None:
    """Table of labels in a folder, if there is one."""
    return next((root / name for name in DEFAULT_FILES if (root / name).is_file()), None)


def _rows(path: Path, keys: Sequence[str]) -> tuple[list[dict[str, str]], str]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except (UnicodeDecodeError, csv.Error, OSError) as error:
        raise XaibenchError(
            f"{path} is no readable CSV file; save it as comma-separated UTF-8 text."
        ) from error
    header = [name.strip().lower() for name in rows[0]] if rows else []
    key = next((name for name in keys if name in header), None)
    if key is None or "label" not in header:
        found = ", ".join(header) or "nothing"
        raise XaibenchError(
            f"{path} needs the columns {' or '.join(keys)} and label, but its first line has: {found}."
        )
    return [dict(zip(header, (*row, *[""] * len(header)), strict=False)) for row in rows[1:]], key


def _texts(
    rows: list[dict[str, str]], name: str, key: str
) -> tuple[dict[str, str], dict[str, int], list[Note]]:
    """Label as text and line by what the table names; what is missing or contradictory becomes a note."""
    texts: dict[str, str] = {}
    lines: dict[str, int] = {}
    twice: dict[str, int] = {}
    for line, row in enumerate(rows, start=2):
        patient, text = row[key].strip(), row["label"].strip()
        if not patient or text.lower() in NO_LABEL:
            continue
        lines.setdefault(patient, line)
        if texts.setdefault(patient, text) != text:
            twice[patient] = line
    notes = [
        Note(f"{name} labels one {key} differently on lines {lines[patient]} and {line}; keep one of them.")
        for patient, line in twice.items()
    ]
    return {patient: text for patient, text in texts.items() if patient not in twice}, lines, notes


def _numbers(texts: dict[str, str]) -> tuple[dict[str, tuple[int, ...]], dict[int, str]]:
    """Labels by what the table names, and the words that became labels; if one is a word, all are."""
    parts = _parts(set(texts.values()))
    whole = {part: _whole(part) for own in parts.values() for part in own}
    words: dict[int, str] = {}
    if None in whole.values():
        words = dict(enumerate(sorted(whole, key=str.casefold)))
    numbers = {text: label for label, text in words.items()} or {
        text: label for text, label in whole.items() if label is not None
    }
    return {
        patient: tuple(sorted({numbers[part] for part in parts[text]})) for patient, text in texts.items()
    }, words


def _parts(texts: Collection[str]) -> dict[str, list[str]]:
    """Labels that each text stands for: itself, unless the table gives several to some."""
    if not any(BETWEEN in text for text in texts):
        return {text: [text] for text in texts}
    parts = {text: [part.strip() for part in text.split(BETWEEN)] for text in texts}
    return {
        text: [part for part in own if part and part.lower() not in NO_FINDING] for text, own in parts.items()
    }


def _whole(text: str) -> int | None:
    """Return 1 for `1` and for the `1.0` that spreadsheets write; None for words and everything else."""
    digits = text.removesuffix(".0")
    return int(digits) if digits.isdecimal() and len(digits) < 4 else None


def _names(
    of: dict[str, tuple[int, ...]], words: dict[int, str], rows: list[dict[str, str]], key: str
) -> tuple[str, ...]:
    named = {
        of[patient][0]: name
        for row in rows
        if len(of.get(patient := row[key].strip(), ())) == 1 and (name := row.get("label_name", "").strip())
    }
    best = words | named
    highest = max((label for labels in of.values() for label in labels), default=-1)
    return tuple(best.get(label, f"class {label}") for label in range(highest + 1))
