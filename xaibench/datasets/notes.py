"""What a reader has to say about a folder: notes for everyone, and a table for `xaibench data check`."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """One sentence about a patient, a case or the whole folder; it holds no identifying value."""

    text: str
    subject: str = ""
    """Pseudonym, or `Case P007/slice 12`; empty for the whole folder."""
    file: str = ""
    """The file to blame, relative to the folder: shown on the terminal only, since paths may name patients."""
    problem: bool = True
    """False for what was merely chosen or left out by rule."""


@dataclass(frozen=True)
class Finding:
    """What would be read of one patient: a row of the table."""

    patient: str
    """Pseudonym."""
    series: str
    """Description of the chosen series; empty if none was chosen."""
    slices: int
    size: tuple[int, int] | None
    """Rows and columns, in pixels."""
    spacing_mm: tuple[float, float] | None
    """Distance of the rows and of the columns, in mm."""
    mask: bool
    label: str
    """Name of the class; empty if the patient has none."""
    problem: str
    """Every problem of this patient, the file to blame in brackets; empty if there is none."""


@dataclass(frozen=True)
class Check:
    """All that `xaibench data check` prints."""

    findings: list[Finding]
    """One row a patient, in the order of the pseudonyms."""
    problems: list[str]
    """Every problem, in sentences, those of the whole folder first."""


HEADER = ["patient", "series", "slices", "size", "spacing (mm)", "mask", "label", "problem"]


def cells(finding: Finding) -> list[str]:
    """Return a row of the table as text, in the order of HEADER."""
    size = "x".join(map(str, finding.size)) if finding.size else ""
    spacing = " x ".join(f"{mm:.3g}" for mm in finding.spacing_mm) if finding.spacing_mm else ""
    mask = "yes" if finding.mask else "no"
    return [
        finding.patient,
        finding.series,
        str(finding.slices),
        size,
        spacing,
        mask,
        finding.label,
        finding.problem,
    ]


def sentences(notes: Iterable[Note]) -> list[str]:
    """Notes as sentences without file names; patients of whom the same is said share one."""
    subjects: dict[str, list[str]] = {}
    for note in notes:
        subjects.setdefault(note.text, []).append(note.subject)
    return [_sentence(list(dict.fromkeys(names)), text) for text, names in subjects.items()]


def problem_text(note: Note) -> str:
    """Sentence of one problem, with the file to blame in brackets."""
    return _sentence([note.subject], note.text) + (f" [{note.file}]" if note.file else "")


def _sentence(subjects: list[str], text: str) -> str:
    named = [subject for subject in subjects if subject]
    return f"{_listed(named)}: {text}" if named else text


def _listed(subjects: list[str]) -> str:
    """Names with runs of consecutive pseudonyms shortened: `P001 to P004, P007`."""
    runs: list[list[str]] = []
    for subject in subjects:
        if runs and _follows(runs[-1][-1], subject):
            runs[-1].append(subject)
        else:
            runs.append([subject])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(run) for run in runs)


def _follows(before: str, after: str) -> bool:
    numbers = before[1:], after[1:]
    return all(number.isdigit() for number in numbers) and int(numbers[1]) == int(numbers[0]) + 1
