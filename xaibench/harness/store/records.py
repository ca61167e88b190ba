"""The records of a run in SQLite: one row a record, and the whole history of failures."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xaibench.api import API_VERSION, Record, Status, XaibenchError

SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    key TEXT PRIMARY KEY, api_version INTEGER, case_id TEXT, patient TEXT, method TEXT, metric TEXT, status TEXT,
    value REAL, reason TEXT, details TEXT, fold INTEGER, seconds REAL, forward INTEGER, backward INTEGER
);
CREATE TABLE IF NOT EXISTS failures (
    at TEXT DEFAULT CURRENT_TIMESTAMP, key TEXT, case_id TEXT, method TEXT, metric TEXT, reason TEXT
);
"""
COLUMNS = (
    "case_id, patient, method, metric, status, key, value, reason, details, fold, seconds, forward, backward"
)


@dataclass(frozen=True)
class PastFailure:
    """One failure of the history; a later success does not remove it."""

    at: str
    case: str
    method: str
    metric: str
    reason: str


class RecordStore:
    """Records by key, whichever command of the folder's history made them. One writer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._told():
            self._database = sqlite3.connect(path, isolation_level=None)
            self._database.executescript(SCHEMA)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def records(self) -> list[Record]:
        """All records, sorted by method, metric and case."""
        with self._told():
            rows = self._database.execute(f"SELECT {COLUMNS} FROM records ORDER BY method, metric, case_id")
            return [_record(row) for row in rows]

    def append(self, records: Iterable[Record]) -> None:
        """Write the records of a cell in one transaction; failures enter the history too."""
        records = list(records)
        failed = [record for record in records if record.status is Status.FAILED]
        with self._told(), self._database:  # commits, or rolls back what an error left half done
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(
                f"INSERT OR REPLACE INTO records (api_version, {COLUMNS}) VALUES (?{', ?' * 13})",
                [(API_VERSION, *_row(record)) for record in records],
            )
            self._database.executemany(
                "INSERT INTO failures (key, case_id, method, metric, reason) VALUES (?, ?, ?, ?, ?)",
                [(r.key, r.case, r.method, r.metric, r.reason) for r in failed],
            )

    def adopt(self, other: Path) -> None:
        """Take over the records of another database that are not here, or failed here, and its history of failures."""
        self._database.execute("ATTACH ? AS other", (str(other),))
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.execute(
                "DELETE FROM records WHERE status = ? AND key IN (SELECT key FROM other.records WHERE status != ?)",
                (Status.FAILED.value, Status.FAILED.value),
            )
            columns = f"api_version, {COLUMNS}"
            self._database.execute(
                f"INSERT OR IGNORE INTO records ({columns}) SELECT {columns} FROM other.records"
            )
            self._database.execute("INSERT INTO failures SELECT * FROM other.failures")
        self._database.execute("DETACH other")

    def forget_failures(self) -> None:
        """Remove failed records, so that they are computed again; their history stays."""
        with self._told():
            self._database.execute("DELETE FROM records WHERE status = ?", (Status.FAILED.value,))

    def failures(self) -> list[PastFailure]:
        """Return the whole history of failures, oldest first."""
        with self._told():
            rows = self._database.execute(
                "SELECT at, case_id, method, metric, reason FROM failures ORDER BY rowid"
            )
            return [PastFailure(*row) for row in rows]

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tell what is wrong with the file, or with the disk, in a sentence."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise XaibenchError(
                f"{self._path} cannot be used now ({error}); see that no other run uses the folder, that it may be "
                f"written, and that the disk has room."
            ) from error
        except sqlite3.DatabaseError as error:
            raise XaibenchError(
                f"{self._path} cannot be used ({error}); delete it and start the run again, or choose another --out."
            ) from error


def _row(record: Record) -> tuple[Any, ...]:
    details = json.dumps(dict(record.details), sort_keys=True)
    return (
        *(record.case, record.patient, record.method, record.metric, record.status.value, record.key),
        *(record.value, record.reason, details, record.fold, record.seconds, record.forward, record.backward),
    )


def _record(row: tuple[Any, ...]) -> Record:
    case, patient, method, metric, status, key, value, reason, details, *costs = row
    return Record(
        case, patient, method, metric, Status(status), key, value, reason, json.loads(details), *costs
    )
