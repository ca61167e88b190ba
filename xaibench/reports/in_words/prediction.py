"""How sure the model is of the class that is explained, and whether it is right."""

from xaibench.harness.store.run_info import CaseInfo, RunInfo
from xaibench.reports.in_words.sentences import joined
from xaibench.reports.scoring.groups import class_name, is_right
from xaibench.reports.text import listed, percent


def prediction(info: RunInfo, case: CaseInfo) -> str:
    """Tell the probability of the explained class, and how the prediction compares with the label."""
    explained, predicted = class_name(info, case.target), class_name(info, case.predicted)
    probability = percent(case.scores[case.target])
    if not info.model.exclusive:
        has = "has" if case.target in case.labels else "does not have"
        return joined(
            f"the model gives {explained}, the explained class, a probability of {probability}; "
            f"the case {has} this label"
        )
    if case.target == case.predicted:
        text = f"the model predicts {explained}, the explained class, with a probability of {probability}"
        return joined(f"{text}{_outcome(info, case)}")
    return joined(
        f"the model gives {explained}, the explained class, a probability of {probability}",
        f"it predicts {predicted} ({percent(case.scores[case.predicted])}){_outcome(info, case)}",
    )


def _outcome(info: RunInfo, case: CaseInfo) -> str:
    if not case.labels:
        return "; the case has no label"
    if is_right(case):
        return ", and is right"
    return f", and is wrong: the label is {listed([class_name(info, label) for label in case.labels])}"
