"""A board: a folder, meant as a git repository, to which entries are added and in which nothing changes."""

from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import StringConstraints, ValidationError

from xaibench.api import XaibenchError, write_file
from xaibench.harness.store.folder import RunFolder
from xaibench.harness.store.run_info import Part, now
from xaibench.reports.board.bounds import parsed, read_bytes
from xaibench.reports.board.entry import DIGITS, canonical, content_hash
from xaibench.reports.board.making import entry_of
from xaibench.reports.board.reading import Published, read_entry

ENTRIES = "entries"
WITHDRAWN = ".withdrawn.json"
REPORT = ".report.html"
WORKFLOW = Path(".github") / "workflows" / "leaderboard.yml"


class Withdrawal(Part):
    """The marker beside an entry that is withdrawn."""

    entry: str
    on: date
    reason: Annotated[str, StringConstraints(min_length=1, max_length=300)]


def entry_files(board: Path) -> list[Path]:
    """Files of all entries, sorted; markers, badges and rows beside them are not counted."""
    found = [path for path in sorted((board / ENTRIES).glob("*.json")) if "." not in path.stem]
    if not found:
        raise XaibenchError(
            f"{board} holds no entry; `xaibench leaderboard add RUN --board {board}` adds one."
        )
    return found


def read_board(board: Path) -> list[Published]:
    """All entries. Raises XaibenchError for the first that does not fit."""
    return [read_entry(path) for path in entry_files(board)]


def add(folder: RunFolder, board: Path, report: bool = False) -> tuple[Path, bool]:
    """Add the entry of a run; returns its file and whether it is new. What is there stays as it is.

    With `report`, the report of the run is kept beside it: it shows patients' images and the run's pseudonyms.
    Raises XaibenchError for what no entry can hold, such as a method's name with other than plain characters.
    """
    try:
        entry, rows = entry_of(folder)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise XaibenchError(f"{folder.path} cannot be published: {where}: {first['msg'].lower()}.") from error
    text = entry.text().encode()
    path = board / ENTRIES / f"{content_hash(text)}.json"
    new = not path.exists()
    if new:
        # The rows first: an entry without rows is never seen.
        write_file(path.with_suffix(".jsonl"), lambda file: file.write(rows.encode()))
        write_file(path, lambda file: file.write(text))
    if report:
        page = folder.path / "report.html"
        content = read_bytes(page)
        write_file(beside(path, REPORT), lambda file: file.write(content))
    return path, new


def withdraw(path: Path, reason: str) -> Path:
    """Mark an entry as withdrawn; the entry itself stays. Returns the marker."""
    marker = beside(_entry(path), WITHDRAWN)
    if marker.exists():
        raise XaibenchError(f"{path} is withdrawn already; see {marker}.")
    try:
        made = Withdrawal(entry=path.stem, on=now().date(), reason=reason)
    except ValidationError as error:
        raise XaibenchError("The reason must have 1 to 300 characters; give another --reason.") from error
    return write_file(marker, lambda file: file.write(canonical(made.model_dump(mode="json")).encode()))


def withdrawal(path: Path) -> Withdrawal | None:
    """Marker beside an entry, or None."""
    marker = beside(path, WITHDRAWN)
    if not marker.exists():
        return None
    try:
        return Withdrawal.model_validate(parsed(read_bytes(marker), str(marker)))
    except ValidationError as error:
        raise XaibenchError(f"{marker} is no marker of a withdrawal; delete it.") from error


def beside(path: Path, suffix: str) -> Path:
    """File of an entry with another ending."""
    return path.with_name(path.stem + suffix)


def init(board: Path) -> Path:
    """Make a board with a CI workflow that checks and verifies what a pull request adds; returns the workflow."""
    text = files("xaibench.reports.board").joinpath("workflow.yml").read_bytes()
    workflow = board / WORKFLOW
    if workflow.exists():
        raise XaibenchError(f"{workflow} is there already; delete it to have it written again.")
    (board / ENTRIES).mkdir(parents=True, exist_ok=True)
    return write_file(workflow, lambda file: file.write(text))


def _entry(path: Path) -> Path:
    if len(path.stem) != DIGITS or path.suffix != ".json" or not path.is_file():
        raise XaibenchError(f"{path} is no entry; give a file such as BOARD/entries/HASH.json.")
    return path
