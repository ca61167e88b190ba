"""Series of the NCI Imaging Data Commons: found in the index that idc-index carries, fetched, and counted.

The index needs no network. The download does, and the library says nothing where there is none: a series counts
as fetched only when its files are as many as the index says.
"""

import importlib
import importlib.util
import logging
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from xaibench.api import XaibenchError

QUERY = """
SELECT PatientID AS patient, SeriesInstanceUID AS uid, COALESCE(SeriesDescription, '') AS description,
       Modality AS modality, instanceCount AS files, series_size_MB AS megabytes,
       COALESCE(CAST(StudyDate AS VARCHAR), '') AS date,
       COALESCE(TRY_CAST(SeriesNumber AS INTEGER), 0) AS number,
       license_short_name AS licence, source_DOI AS doi
FROM read_parquet(?) WHERE
"""
ORDER = " ORDER BY patient, date, number, uid"


@dataclass(frozen=True)
class IdcSeries:
    """A series as the index describes it."""

    patient: str
    """PatientID, public in this collection."""
    uid: str
    """SeriesInstanceUID."""
    description: str
    modality: str
    files: int
    megabytes: float
    """Size in 10**6 bytes."""
    date: str
    """Of the study: the earlier sorts first."""
    number: int
    """Series number."""
    licence: str
    doi: str

    def folder(self, out: Path) -> Path:
        """Where its files lie below the folder of the cohort."""
        return out / self.patient / self.uid


@runtime_checkable
class Index(Protocol):
    """What is asked of the Imaging Data Commons."""

    def rows(self, condition: str) -> list[dict[str, Any]]:
        """Return the series that meet a condition in SQL, the fields of IdcSeries by name."""
        ...

    def download(self, uid: str, folder: Path) -> None:
        """Write the files of a series to a folder; may write none and raise nothing."""
        ...


@runtime_checkable
class Track(Protocol):
    """Yields the items as they are asked for, and shows how many are done."""

    def __call__(self, items: Sequence[IdcSeries], what: str, /) -> Iterable[IdcSeries]:
        """Yield each item under a progress bar called `what`."""
        ...


class PackagedIndex:
    """The index inside the package idc-index-data, and the download of idc-index."""

    def rows(self, condition: str) -> list[dict[str, Any]]:
        """Query the packaged file itself: a second, where idc-index reads a million rows into memory for 30."""
        path = importlib.import_module("idc_index_data").IDC_INDEX_PARQUET_FILEPATH
        duckdb = importlib.import_module("duckdb")
        with duckdb.connect() as connection:
            found = connection.execute(QUERY + condition + ORDER, [str(path)])
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def download(self, uid: str, folder: Path) -> None:
        """Write the files of a series to a folder, without its own bar and messages."""
        with _own_logging():
            self._client.download_dicom_series(
                uid, str(folder), quiet=True, show_progress_bar=False, dirTemplate=None
            )

    @cached_property
    def _client(self) -> Any:
        return importlib.import_module("idc_index").IDCClient()


def open_index() -> Index:
    """Return the index that idc-index carries; needs no network. Raises XaibenchError without the package."""
    if any(importlib.util.find_spec(name) is None for name in ("idc_index", "idc_index_data", "duckdb")):
        raise XaibenchError(
            "The index of the Imaging Data Commons is not installed; install it with `uv sync --extra idc` or "
            "`pip install 'xaibench[idc]'`."
        )
    return PackagedIndex()


def find_series(index: Index, condition: str) -> list[IdcSeries]:
    """Series that meet a condition in SQL, ordered by patient, study date and series number.

    Raises XaibenchError if there are none.
    """
    rows = index.rows(condition)
    if not rows:
        raise XaibenchError(
            f"This version of idc-index lists no series with {condition}; install the one xaibench was made with, "
            f"with `uv sync --extra idc`."
        )
    return [IdcSeries(**row) for row in rows]


def missing(series: Iterable[IdcSeries], out: Path) -> list[IdcSeries]:
    """Series that the folder does not hold whole."""
    return [one for one in series if count_files(one.folder(out)) != one.files]


def count_files(folder: Path) -> int:
    """DICOM files directly in a folder; 0 if it is not there. An empty file counts as none."""
    return sum(file.stat().st_size > 0 for file in folder.glob("*.dcm"))


def fetch(index: Index, series: Sequence[IdcSeries], out: Path, track: Track) -> None:
    """Fetch the series that `out` does not hold whole, each to OUT/PatientID/SeriesInstanceUID.

    A series is moved into its place only when it is whole, so the same call goes on after a stop. Raises
    XaibenchError at the first one that stays empty or short, and where there is no room.
    """
    wanted = missing(series, out)
    whole = out.resolve()
    parts = whole.with_name(f".{whole.name}-partial")  # beside `out`, where no reader meets half a series
    try:
        out.mkdir(parents=True, exist_ok=True)
        _refuse_small_disk(sum(one.megabytes for one in wanted), out)
        for one in track(wanted, "fetching series"):
            _fetch_one(index, one, parts / one.uid, out)
    except OSError as error:
        raise XaibenchError(f"{out} cannot be written ({error}); choose another --out folder.") from error
    finally:
        shutil.rmtree(parts, ignore_errors=True)


def _fetch_one(index: Index, one: IdcSeries, part: Path, out: Path) -> None:
    shutil.rmtree(part, ignore_errors=True)  # a stopped download may have left a file half written
    part.mkdir(parents=True)
    said = _download(index, one, part)
    count = count_files(part)
    if count != one.files:
        raise XaibenchError(
            f"Patient {one.patient}, series {one.description!r} (SeriesInstanceUID {one.uid}): {count} of "
            f"{one.files} files arrived{said}; check the network and give the same command again, which goes on "
            f"from here."
        )
    place = one.folder(out)
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(part, place)


def _download(index: Index, one: IdcSeries, part: Path) -> str:
    """Download a series; returns what the library says against it in brackets, usually nothing."""
    try:
        index.download(one.uid, part)
    except Exception as error:  # the library and its helpers raise bare Exceptions of their own
        return f" ({' '.join(str(error).split())})"
    return ""


def _refuse_small_disk(megabytes: float, out: Path) -> None:
    free = shutil.disk_usage(out).free / 1e6
    if free < megabytes:
        raise XaibenchError(
            f"{out} has {free / 1000:.1f} GB left and {megabytes / 1000:.1f} GB are to come; make room, or choose "
            f"another --out folder."
        )


@contextmanager
def _own_logging() -> Iterator[None]:
    """Keep idc-index from setting up everybody's logging, and from writing what is said here in a sentence."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    logging.getLogger("idc_index").setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
