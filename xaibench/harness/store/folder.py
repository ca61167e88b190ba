"""A run on disk: what is computed is written at once, and never computed again while its key is wanted.

`run.json` says what was run on what (see run_info); `records.sqlite` holds the records; `heatmaps/`, `cases/`,
`cohort/` and `fitted/` hold arrays, whose names carry the key of what made them. Every file appears whole or not at
all, so a process killed at any moment leaves whole files or none.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import ValidationError

from xaibench.api import Case, CohortExplanation, Explanation, Record, Status, XaibenchError, write_file
from xaibench.harness import keys
from xaibench.harness.cells import Result, wanted
from xaibench.harness.store import arrays
from xaibench.harness.store.records import PastFailure, RecordStore
from xaibench.harness.store.run_info import FORMAT, RunInfo

Loaded = TypeVar("Loaded")
SHOWN = 12
"""Digits of a key in the name of a file."""


class RunFolder:
    """Reads and writes the folder of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        _claim(path)
        self._records = RecordStore(path / "records.sqlite")
        self._info: RunInfo | None = None

    @classmethod
    def existing(cls, path: Path) -> "RunFolder":
        """Open a folder that must already hold a run."""
        if not (path / "run.json").is_file():
            raise XaibenchError(f"{path} holds no run (no run.json); give the --out folder of a run.")
        return cls(path)

    def close(self) -> None:
        """Close the database."""
        self._records.close()

    # ------------------------------------------------------------ run.json

    def info(self) -> RunInfo:
        """What was run on what. Raises XaibenchError where the folder holds no run yet, or one of another format."""
        if self._info is None:
            self._info = read_info(self.path)
        return self._info

    def begin(self, info: RunInfo, cases: Mapping[str, Case]) -> RunInfo:
        """Write `run.json` with the history of the folder before it, and the cases that are not there yet."""
        history = read_info(self.path).history if (self.path / "run.json").is_file() else ()
        self._info = info.model_copy(update={"history": (*history, *info.history)})
        self.write_text("run.json", self._info.model_dump_json(indent=2) + "\n")
        for case in info.cohort.cases:
            path = self._case_file(case.id, case.key)
            if not path.is_file():
                arrays.save_case(path, cases[case.id], case.key)
        return self._info

    def expect(self, info: RunInfo) -> None:
        """Look for records and arrays as a run of this description would; nothing is written."""
        self._info = info

    # ------------------------------------------------------------ records

    def records(self) -> list[Record]:
        """Records that the run wants, sorted by method, metric and case."""
        known = {record.key for record in wanted(self.info())}
        return [record for record in self._records.records() if record.key in known]

    def finished(self) -> set[str]:
        """Keys of all records, wanted or not, but of those whose map is lost: they are computed again with it."""
        return {
            record.key
            for record in self._records.records()
            if record.status is not Status.OK or self._has_map(record)
        }

    def _has_map(self, record: Record) -> bool:
        """Whether the map is there that a record scores; where it scores none of this run, nothing is missed."""
        of_a_map = record.method in self.info().methods and record.case in self._case_keys
        return not of_a_map or self._heatmap_file(record.method, record.case).is_file()

    def keep(self, result: Result) -> None:
        """Write what a cell gave: its arrays, then its records in one transaction."""
        cell = result.cell
        if result.explanation is not None:
            path = self._heatmap_file(cell.method, cell.unit.id)
            if not path.is_file():
                arrays.save_explanation(path, result.explanation)
        if result.classes:
            arrays.save_classes(self._classes_file(cell.method), result.classes)
        self._records.append(result.records)

    def adopt_records(self, other: Path) -> None:
        """Take over the records of another run folder that this one lacks; see RecordStore.adopt."""
        self._records.adopt(other / "records.sqlite")

    def forget_failures(self) -> None:
        """Remove failed records, so that they are computed again; their history stays."""
        self._records.forget_failures()

    def failures(self) -> list[PastFailure]:
        """Return the whole history of failures, oldest first."""
        return self._records.failures()

    def failed(self) -> list[Record]:
        """Records of the run that failed."""
        return [record for record in self.records() if record.status is Status.FAILED]

    # ------------------------------------------------------------ arrays

    def cases(self) -> dict[str, Case]:
        """Cases of the run by name."""
        return {
            case.id: arrays.load_case(self._case_file(case.id, case.key), case.id)
            for case in self.info().cohort.cases
        }

    def explanation(self, method: str, case: str) -> Explanation | None:
        """Return the kept explanation of a case, or None if there is none."""
        return whole(self._heatmap_file(method, case), arrays.load_explanation)

    def cohort_explanations(self, method: str) -> dict[int, CohortExplanation] | None:
        """Explanations of the cohort by label, or None if there are none."""
        return whole(self._classes_file(method), arrays.load_classes)

    def save_fit(self, key: str, fitted: Mapping[str, np.ndarray]) -> None:
        """Keep what a method learnt from training cases."""
        arrays.save_arrays(self.path / "fitted" / f"{key}.npz", fitted, {})

    def fit(self, key: str) -> dict[str, np.ndarray] | None:
        """Return what a method learnt, or None if nothing is kept."""
        found = whole(self.path / "fitted" / f"{key}.npz", arrays.load_arrays)
        return found[0] if found else None

    def _case_file(self, case: str, key: str) -> Path:
        return self.path / "cases" / f"{case}-{key[:SHOWN]}.npz"

    def _heatmap_file(self, method: str, case: str) -> Path:
        key = keys.map_key(self.info().methods[method].key, self._case_keys[case])
        return self.path / "heatmaps" / method / f"{case}-{key[:SHOWN]}.npz"

    def _classes_file(self, method: str) -> Path:
        info = self.info()
        key = keys.map_key(info.methods[method].key, info.cohort.key)
        return self.path / "cohort" / f"{method}-{key[:SHOWN]}.npz"

    @property
    def _case_keys(self) -> Mapping[str, str]:
        return self.info().cohort.case_keys

    # ------------------------------------------------------------ files

    def write_text(self, name: str, text: str) -> Path:
        """Write a text file of the folder whole or not at all; returns its path."""
        return write_file(self.path / name, lambda file: file.write(text.encode("utf-8")))


def whole(path: Path, load: Callable[[Path], Loaded]) -> Loaded | None:
    """What a file holds; None where there is none. A damaged one is removed, so that it is made again."""
    if not path.is_file():
        return None
    try:
        return load(path)
    except XaibenchError:
        path.unlink(missing_ok=True)
        return None


def read_info(folder: Path) -> RunInfo:
    """Read `run.json`. Raises XaibenchError, in a sentence, for what is not a run of this format."""
    file = folder / "run.json"
    if not file.is_file():
        raise XaibenchError(f"{folder} holds no run (no run.json); give the --out folder of a run.")
    text = file.read_text(encoding="utf-8", errors="replace")
    try:
        return RunInfo.model_validate_json(text)
    except ValidationError as error:
        if f'"format": {FORMAT}' not in text:
            raise XaibenchError(
                f"{folder} holds a run of another version of xaibench (run.json is not of format {FORMAT}), which "
                f"can be neither continued nor read; choose another --out folder."
            ) from error
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise XaibenchError(
            f"{file} is not readable ({where}: {first['msg'].lower()}); choose another --out folder."
        ) from error


def _claim(path: Path) -> None:
    """Make the folder. Raises XaibenchError where it cannot hold a run."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise XaibenchError(
            f"{path} cannot be made ({error.strerror}); choose another --out folder."
        ) from error
