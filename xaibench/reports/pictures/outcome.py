"""Whether the model is right about a case."""

from enum import StrEnum

from xaibench.harness.store.run_info import CaseInfo, RunInfo
from xaibench.reports.scoring.groups import is_right

HALF = 0.5


class Outcome(StrEnum):
    """What the label says of the model's answer."""

    RIGHT = "right"
    WRONG = "wrong"
    UNKNOWN = "no label"


def outcome(info: RunInfo, case: CaseInfo) -> Outcome:
    """Compare the predicted class with the label, or the explained class where classes do not exclude each other."""
    if not info.model.exclusive:
        agree = (case.scores[case.target] >= HALF) == (case.target in case.labels)
        return Outcome.RIGHT if agree else Outcome.WRONG
    if not case.labels:
        return Outcome.UNKNOWN
    return Outcome.RIGHT if is_right(case) else Outcome.WRONG


def misclassified(info: RunInfo) -> list[CaseInfo]:
    """Cases that the model gets wrong, the one it is surest of first."""
    wrong = [case for case in info.cohort.cases if outcome(info, case) is Outcome.WRONG]
    return sorted(wrong, key=lambda case: (-max(case.scores), case.id))
