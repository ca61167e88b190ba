"""What all verdicts are made of: a sentence, the test that it rests on, and the figures behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from xaibench.reports.scoring.cell import Score
from xaibench.reports.text import brief, plural, span

FEW = 10
"""Patients below which every sentence carries a caution."""


@dataclass(frozen=True)
class Verdict:
    """A sentence; `warns` where the reader should be wary."""

    text: str
    test: str = ""
    """The test behind the sentence, with its correction; empty where it only counts or quotes."""
    particulars: tuple[str, ...] = ()
    """Figures, a line each."""
    warns: bool = False
    patients: int | None = None
    """Patients that the sentence rests on; None where it is not about patients."""

    @property
    def caution(self) -> str:
        """Said behind the sentence where few patients carry it; empty otherwise."""
        if self.patients is None or self.patients >= FEW:
            return ""
        return f"Caution: this rests on only {plural(self.patients, 'patient')}."


@dataclass(frozen=True)
class Question:
    """A question that a reader has, and what the run says to it."""

    text: str
    answers: tuple[Verdict, ...]


def with_classes(together: Verdict, by_class: Mapping[str, Verdict], alike: bool) -> list[Verdict]:
    """Say what holds in every class once, with the patients of each beside it; what differs, class by class."""
    if len(by_class) < 2:
        return [together]
    if not alike:
        return [together, *by_class.values()]
    beside = [
        f"likewise where {name} is explained: {plural(v.patients or 0, 'patient')}"
        for name, v in by_class.items()
    ]
    return [replace(together, particulars=(*together.particulars, *beside))]


def sentences(questions: Sequence[Question]) -> list[str]:
    """All verdicts as plain lines: sentence, caution, then test and figures in brackets."""
    return [_line(verdict) for question in questions for verdict in question.answers]


def _line(verdict: Verdict) -> str:
    beside = "; ".join(filter(None, [verdict.test, *verdict.particulars]))
    return " ".join(filter(None, [verdict.text, verdict.caution, f"({beside})" if beside else ""]))


def shown_score(score: Score) -> str:
    """Write a score with its interval, such as `0.5 [0.4, 0.6]`."""
    return f"{brief(score.value)} {span(score.low, score.high)}".rstrip()
