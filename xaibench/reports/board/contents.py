"""What stands on a board: entries with the markers and badges beside them, sorted into pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xaibench.api import Status
from xaibench.reports.board.badge import Badge, read_badge
from xaibench.reports.board.bounds import read_bytes
from xaibench.reports.board.entry import Section
from xaibench.reports.board.folder import REPORT, Withdrawal, beside, entry_files, withdrawal
from xaibench.reports.board.reading import Published, read_entry
from xaibench.reports.board.results import record_of
from xaibench.reports.board.scores import expected_cases
from xaibench.reports.scoring.scores import cells_of
from xaibench.reports.text import plural

SHORT = 8
"""Digits of a hash that readers are shown."""


@dataclass(frozen=True, eq=False)
class Posted:
    """An entry as it stands on a board."""

    published: Published
    withdrawal: Withdrawal | None = None
    badge: Badge | None = None
    report: str = ""
    """HTML of the run's own report; a stranger may have written it."""

    @property
    def id(self) -> str:
        """Hash of the entry."""
        return self.published.id

    @property
    def short(self) -> str:
        """First digits of the hash."""
        return self.id[:SHORT]

    @property
    def section(self) -> Section:
        """What was run on what."""
        return self.published.entry.xaibench

    @property
    def date(self) -> str:
        """Day of the run."""
        return self.published.entry.evaluation_timestamp[:10]

    @property
    def verified(self) -> bool:
        """Whether the latest verification passed."""
        return self.badge is not None and self.badge.latest.passed

    @property
    def gaps(self) -> str:
        """What the entry lacks; empty for a complete one. What does not apply to the model is no gap."""
        rows, section = self.published.rows, self.section
        failed = sum(row.status is Status.FAILED for row in rows)
        expected = expected_cases(section.metrics, cells_of(map(record_of, rows)), len(section.cohort.cases))
        missing = len(section.methods) * sum(max(1, count) for count in expected.values()) - len(rows)
        parts = [f"{failed} of {len(rows)} scores failed"] if failed else []
        return ", ".join([*parts, *([f"{plural(missing, 'score')} not computed"] if missing > 0 else [])])

    @property
    def state(self) -> str:
        """What stands behind the badge in the list of entries; may be empty."""
        if self.withdrawal is not None:
            return f"withdrawn on {self.withdrawal.on}: {self.withdrawal.reason}"
        return "; ".join(filter(None, [self.badge.latest.text if self.badge else "", self.gaps]))


def contents(board: Path) -> list[Posted]:
    """All entries of a board, verified ones first, then those with more rows; the order of files changes nothing.

    Raises XaibenchError for the first file that does not fit.
    """
    posted = [_posted(path) for path in entry_files(board)]
    return sorted(posted, key=lambda one: (not one.verified, -len(one.published.rows), one.id))


def _posted(path: Path) -> Posted:
    report = beside(path, REPORT)
    text = read_bytes(report).decode("utf-8", "replace") if report.exists() else ""
    return Posted(read_entry(path), withdrawal(path), read_badge(path), text)


def pages(posted: Sequence[Posted]) -> list[list[Posted]]:
    """Entries of one cohort and one model, by their fingerprints, in the order of the cohorts' names."""
    found: dict[tuple[str, str], list[Posted]] = {}
    for one in posted:
        found.setdefault((one.section.cohort.key, one.section.model.key), []).append(one)
    return sorted(found.values(), key=_title)


def _title(page: Sequence[Posted]) -> tuple[str, str, str, str]:
    first = page[0].section
    return first.cohort.name, first.model.name, first.cohort.key, first.model.key
