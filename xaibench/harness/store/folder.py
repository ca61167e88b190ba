"""A run on disk: what is computed is written at once and never computed again.

`run.json` says what was run on what; `records.sqlite` holds one row a record, and every failure that ever
happened; `heatmaps/`, `cases/` and `cohort/` hold compressed arrays. Files are written beside their place
and moved into it, so a process killed at any moment leaves whole files or none.
"""

import json
import sqlite3
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from xaibench.api import (
    Case,
    CohortExplanation,
    Explanation,
    Record,
    Status,
    XaibenchError,
)

SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    case_id TEXT, patient TEXT, method TEXT, metric TEXT, status TEXT, value REAL, reason TEXT, details TEXT,
    fold INTEGER, seconds REAL, forward INTEGER, backward INTEGER,
    PRIMARY KEY (case_id, method, metric)
);
CREATE TABLE IF NOT EXISTS failures (
    at TEXT DEFAULT CURRENT_TIMESTAMP, case_id TEXT, method TEXT, metric TEXT, reason TEXT
);
"""


@dataclass(frozen=True)
class Failure:
    """One failure of the history; a later success does not remove it."""

    at: str
    case: str
    method: str
    metric: str
    reason: str


class RunFolder:
    """Reads and writes the folder of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path / "records.sqlite", isolation_level=None)
        try:
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.executescript(SCHEMA)
        except sqlite3.DatabaseError as error:
            raise XaibenchError(
                f"{path / 'records.sqlite'} is no readable run database ({error}); choose another --out folder."
            ) from error

    @classmethod
    def existing(cls, path: Path) -> "RunFolder":
        """Open a folder that must already hold a run."""
        if not (path / "run.json").is_file():
            raise XaibenchError(
                f"{path} holds no run (no run.json); give the --out folder of a finished run."
            )
        return cls(path)

    def close(self) -> None:
        """Close the database, folding its write-ahead log in."""
        self._database.close()

    # ------------------------------------------------------------ run.json

    def info(self) -> dict[str, Any]:
        """What was run on what; empty before the first `begin`."""
        file = self.path / "run.json"
        if not file.is_file():
            return {}
        try:
            found: dict[str, Any] = json.loads(file.read_text())
        except ValueError as error:
            raise XaibenchError(f"{file} is not readable ({error}); choose another --out folder.") from error
        return found

    def begin(self, info: Mapping[str, Any]) -> None:
        """Write `run.json`, or check that the folder holds the same run; differing ones are refused by name."""
        known = self.info().get("identity")
        if known is not None and known != info["identity"]:
            differing = sorted(
                key for key in {*known, *info["identity"]} if known.get(key) != info["identity"].get(key)
            )
            raise XaibenchError(
                f"{self.path} holds another run: {', '.join(differing)} differ; choose another --out, "
                f"or delete the folder to start afresh."
            )
        if known is None:
            self.write_text("run.json", json.dumps(info, indent=2, sort_keys=True) + "\n")

    # ------------------------------------------------------------ records

    def records(self) -> list[Record]:
        """All records, sorted by method, metric and case."""
        rows = self._database.execute(
            "SELECT case_id, patient, method, metric, status, value, reason, details, fold, seconds, forward,"
            " backward FROM records ORDER BY method, metric, case_id"
        )
        return [_record(row) for row in rows]

    def finished(self) -> set[tuple[str, str, str]]:
        """(case, method, metric) of every record."""
        return set(self._database.execute("SELECT case_id, method, metric FROM records"))

    def append(self, records: Iterable[Record]) -> None:
        """Write records in one transaction; failures enter the history too."""
        records = list(records)
        failed = [r for r in records if r.status is Status.FAILED]
        self._database.execute("BEGIN")
        self._database.executemany(
            "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    *(r.case, r.patient, r.method, r.metric, r.status.value, r.value, r.reason),
                    *(json.dumps(dict(r.details), sort_keys=True), r.fold, r.seconds, r.forward, r.backward),
                )
                for r in records
            ],
        )
        self._database.executemany(
            "INSERT INTO failures (case_id, method, metric, reason) VALUES (?, ?, ?, ?)",
            [(r.case, r.method, r.metric, r.reason) for r in failed],
        )
        self._database.execute("COMMIT")

    def forget_failures(self) -> None:
        """Remove failed records, so that they are computed again; their history stays."""
        self._database.execute("DELETE FROM records WHERE status = ?", (Status.FAILED.value,))

    def failures(self) -> list[Failure]:
        """Return the whole history of failures, oldest first."""
        rows = self._database.execute(
            "SELECT at, case_id, method, metric, reason FROM failures ORDER BY rowid"
        )
        return [Failure(*row) for row in rows]

    # ------------------------------------------------------------ arrays

    def save_case(self, case: Case, target: int) -> None:
        """Keep what a report shows of a case: image, mask, geometry, label, and the explained class."""
        arrays = {"image": case.image, "spacing_mm": np.array(case.spacing_mm)}
        if case.region is not None:
            arrays["mask"] = np.packbits(case.region)
        facts = {
            "patient": case.patient,
            "label": case.label,
            "slice_index": case.slice_index,
            "target": target,
        }
        self._save_arrays(f"cases/{case.id}.npz", arrays, facts)

    def cases(self) -> dict[str, tuple[Case, int]]:
        """Cases by id, with the explained class of each."""
        return {path.stem: self._load_case(path) for path in sorted(self.path.glob("cases/*.npz"))}

    def _load_case(self, path: Path) -> tuple[Case, int]:
        arrays, facts = self._load_arrays(path)
        image = arrays["image"]
        mask = arrays.get("mask")
        if mask is not None:
            mask = np.unpackbits(mask, count=image.shape[0] * image.shape[1]).astype(bool)
            mask = mask.reshape(image.shape[:2])
        spacing = arrays["spacing_mm"]
        case = Case(
            id=path.stem,
            patient=facts["patient"],
            image=image,
            label=facts["label"],
            mask=mask,
            spacing_mm=(float(spacing[0]), float(spacing[1])),
            slice_index=facts["slice_index"],
        )
        return case, facts["target"]

    def save_explanation(self, method: str, case: str, explanation: Explanation) -> None:
        """Keep a heatmap and what it cost."""
        facts = {
            "target": explanation.target,
            "seconds": explanation.seconds,
            "forward": explanation.forward,
            "backward": explanation.backward,
        }
        self._save_arrays(f"heatmaps/{method}/{case}.npz", {"heatmap": explanation.heatmap}, facts)

    def explanation(self, method: str, case: str) -> Explanation | None:
        """Return the kept explanation, or None if there is none."""
        path = self.path / "heatmaps" / method / f"{case}.npz"
        if not path.is_file():
            return None
        arrays, facts = self._load_arrays(path)
        return Explanation(heatmap=arrays["heatmap"], **facts)

    def save_cohort_explanations(self, method: str, explanations: Mapping[int, CohortExplanation]) -> None:
        """Keep the explanations of a cohort, all classes together."""
        arrays = {
            f"{name}-{label}": array
            for label, explanation in explanations.items()
            for name, array in vars(explanation).items()
            if array is not None
        }
        self._save_arrays(f"cohort/{method}.npz", arrays, {"labels": sorted(explanations)})

    def cohort_explanations(self, method: str) -> dict[int, CohortExplanation] | None:
        """Explanations of the cohort by label, or None if there are none."""
        path = self.path / "cohort" / f"{method}.npz"
        if not path.is_file():
            return None
        arrays, facts = self._load_arrays(path)

        def explanation(label: int) -> CohortExplanation:
            names = {part.name: f"{part.name}-{label}" for part in fields(CohortExplanation)}
            return CohortExplanation(**{name: arrays[key] for name, key in names.items() if key in arrays})

        return {label: explanation(label) for label in facts["labels"]}

    # ------------------------------------------------------------ files

    def write_text(self, name: str, text: str) -> Path:
        """Write a text file of the folder whole or not at all; returns its path."""
        path = self.path / name
        beside = path.with_name(f".{path.name}.part")
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
        return path

    def _save_arrays(self, name: str, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.part")
        with beside.open("wb") as file:
            np.savez_compressed(file, facts=np.array(json.dumps(facts)), **arrays)  # type: ignore[arg-type]
        beside.replace(path)

    def _load_arrays(self, path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        try:
            with np.load(path) as file:
                arrays = {name: file[name] for name in file.files}
        except (ValueError, OSError, zipfile.BadZipFile) as error:
            raise XaibenchError(f"{path} is damaged ({error}); delete it and start the run again.") from error
        return arrays, json.loads(str(arrays.pop("facts")))


def _record(row: tuple[Any, ...]) -> Record:
    case, patient, method, metric, status, value, reason, details, *costs = row
    return Record(case, patient, method, metric, Status(status), value, reason, json.loads(details), *costs)
