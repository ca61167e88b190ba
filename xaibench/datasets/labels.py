"""Labels of patients from a CSV file."""

import csv
from dataclasses import dataclass
from pathlib import Path

from xaibench.api import XaibenchError
from xaibench.datasets.notes import Note

DEFAULT_FILES = ("clinical.csv", "labels.csv")
NO_LABEL = {"", "na", "n/a", "nan", "none", "null"}


@dataclass(frozen=True)
class Labels:
    """Label of each patient, and what the labels mean."""

    names: tuple[str, ...]
    """Names of the labels 0, 1, ..."""
    of: dict[str, int]
    """Label by PatientID: identifying, never shown."""
    rows: dict[str, int]
    """Line of the file by PatientID."""
    file: str
    """Name of the file, for sentences."""
    notes: tuple[Note, ...]
    blank: frozenset[str] = frozenset()
    """PatientIDs whose line holds no label: left out on purpose."""


def read_labels(root: Path, file: Path | None) -> Labels:
    """Read the columns `patient` (a PatientID, kept as text: 007 keeps its zeros), `label`, and `label_name`.

    A label is a whole number from 0, or a word: words become 0, 1, ... in alphabetical order. Rows without
    a label are left out, and so is a patient with two different ones. Raises XaibenchError if there is no such
    file, no such column or no label at all.
    """
    path = file or next((root / name for name in DEFAULT_FILES if (root / name).is_file()), None)
    if path is None or not path.is_file():
        raise XaibenchError(
            f"{path or root} holds no labels; write a CSV file with the columns patient,label (PatientID and "
            f"class) to {root / DEFAULT_FILES[1]}, or give its place with --labels."
        )
    rows = _rows(path)
    texts, lines, notes = _texts(rows, path.name)
    if not texts:
        raise XaibenchError(f"{path} labels no patient; fill its columns patient and label.")
    of, words = _numbers(texts)
    names = _names(of, words, rows)
    if len(set(of.values())) == 1:
        only = names[next(iter(of.values()))]
        text = f"{path.name} holds one class only ({only}), so accuracy says nothing here."
        notes.append(Note(text, problem=False))
    blank = frozenset(row["patient"].strip() for row in rows) - set(lines)
    return Labels(names, of, lines, path.name, tuple(notes), blank)


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except (UnicodeDecodeError, csv.Error, OSError) as error:
        raise XaibenchError(
            f"{path} is no readable CSV file; save it as comma-separated UTF-8 text."
        ) from error
    header = [name.strip().lower() for name in rows[0]] if rows else []
    if not {"patient", "label"} <= set(header):
        found = ", ".join(header) or "nothing"
        raise XaibenchError(f"{path} needs the columns patient and label, but its first line has: {found}.")
    return [dict(zip(header, (*row, *[""] * len(header)), strict=False)) for row in rows[1:]]


def _texts(rows: list[dict[str, str]], name: str) -> tuple[dict[str, str], dict[str, int], list[Note]]:
    """Label as text and line by PatientID; what is missing or contradictory becomes a note."""
    texts: dict[str, str] = {}
    lines: dict[str, int] = {}
    twice: dict[str, int] = {}
    for line, row in enumerate(rows, start=2):
        patient, text = row["patient"].strip(), row["label"].strip()
        if not patient or text.lower() in NO_LABEL:
            continue
        lines.setdefault(patient, line)
        if texts.setdefault(patient, text) != text:
            twice[patient] = line
    notes = [
        Note(f"{name} labels one patient differently on lines {lines[patient]} and {line}; keep one of them.")
        for patient, line in twice.items()
    ]
    return {patient: text for patient, text in texts.items() if patient not in twice}, lines, notes


def _numbers(texts: dict[str, str]) -> tuple[dict[str, int], dict[int, str]]:
    """Label by PatientID, and the words that became labels; if one is a word, all are."""
    whole = {text: _whole(text) for text in texts.values()}
    words: dict[int, str] = {}
    if None in whole.values():
        words = dict(enumerate(sorted(whole, key=str.casefold)))
    numbers = {text: label for label, text in words.items()} or whole
    return {patient: label for patient, text in texts.items() if (label := numbers[text]) is not None}, words


def _whole(text: str) -> int | None:
    """Return 1 for `1` and for the `1.0` that spreadsheets write; None for words and everything else."""
    digits = text.removesuffix(".0")
    return int(digits) if digits.isdecimal() and len(digits) < 4 else None


def _names(of: dict[str, int], words: dict[int, str], rows: list[dict[str, str]]) -> tuple[str, ...]:
    named = {
        of[patient]: name
        for row in rows
        if (patient := row["patient"].strip()) in of and (name := row.get("label_name", "").strip())
    }
    best = words | named
    return tuple(best.get(label, f"class {label}") for label in range(max(of.values()) + 1))
