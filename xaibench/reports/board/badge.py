"""The badge beside an entry: who re-ran a sample of it, with what, and what came out."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pydantic import Field, ValidationError

from xaibench.api import XaibenchError, write_file
from xaibench.harness.store.run_info import Machine, Part
from xaibench.reports.board.bounds import parsed, read_bytes
from xaibench.reports.board.entry import canonical
from xaibench.reports.board.folder import beside
from xaibench.reports.board.sample import chance_to_find
from xaibench.reports.text import percent

VERIFIED = ".verified.json"
MOST_SHOWN = 20
"""Disagreements that are written down."""


class Verification(Part):
    """One re-run of a random sample of an entry's cells."""

    at: datetime
    machine: Machine
    versions: Mapping[str, str]
    sample_seed: int
    """The same seed draws the same cells."""
    cells: int = Field(ge=1)
    """Cells of the entry that could be drawn: one explainer on one case, or on one class."""
    sampled: int = Field(ge=0)
    compared: int = Field(ge=0)
    """Scores that were computed again; times and memory are not."""
    agreed: int = Field(ge=0)
    """Those within the tolerances of xaibench.reports.board.tolerance."""
    problems: tuple[str, ...] = ()
    """What does not fit, in sentences; empty where everything agreed."""

    @property
    def passed(self) -> bool:
        """Whether everything that was drawn came out as the entry says."""
        return not self.problems and self.agreed == self.compared > 0

    @property
    def text(self) -> str:
        """What the badge says, on one line."""
        where = f"{self.machine.system}, {self.machine.cpu}, Python {self.machine.python}"
        outcome = (
            f"{self.agreed} of {self.compared} scores agreed in {self.sampled} of {self.cells} cells, re-run"
            if self.compared
            else "no score could be compared; tried"
        )
        version = self.versions.get("xaibench", "unknown")
        return f"{outcome} on {self.at:%Y-%m-%d} ({where}, xaibench {version})"

    @property
    def caution(self) -> str:
        """How much the sample could have missed."""
        one = percent(chance_to_find(self.cells, self.sampled, 1))
        tenth = percent(chance_to_find(self.cells, self.sampled, max(1, self.cells // 10)))
        return (
            f"A sample of {self.sampled} of {self.cells} cells finds one forged cell with {one}, a tenth of the cells "
            f"with {tenth} probability."
        )


class Badge(Part):
    """All verifications of an entry, the latest last."""

    entry: str
    verifications: tuple[Verification, ...] = Field(min_length=1)

    @property
    def latest(self) -> Verification:
        """The verification that counts."""
        return self.verifications[-1]


def read_badge(path: Path) -> Badge | None:
    """Badge of an entry's file, or None. Raises XaibenchError for a file that is none, or another entry's."""
    file = beside(path, VERIFIED)
    if not file.exists():
        return None
    try:
        badge = Badge.model_validate(parsed(read_bytes(file), str(file)))
    except ValidationError as error:
        raise XaibenchError(f"{file} is no badge; delete it and verify the entry again.") from error
    if badge.entry != path.stem:
        raise XaibenchError(f"{file} is the badge of another entry; delete it.")
    return badge


def write_badge(path: Path, verification: Verification) -> Path:
    """Put a verification behind those that are there; returns the file."""
    before = read_badge(path)
    found = Badge(entry=path.stem, verifications=(*(before.verifications if before else ()), verification))
    text = canonical(found.model_dump(mode="json")).encode()
    return write_file(beside(path, VERIFIED), lambda file: file.write(text))
