"""Which explainers are fast enough? The median time of an image against 1 s, 3 s and 10 s."""

from xaibench.reports.scoring.cell import LATENCY, Score
from xaibench.reports.scoring.results import Results
from xaibench.reports.text import brief, capitalised, listed
from xaibench.reports.verdicts.verdict import Verdict, shown_score

BUDGETS = {"1 s": 1_000.0, "3 s": 3_000.0, "10 s": 10_000.0}
"""Times of the review's Table 9, in ms."""


def fast_verdicts(run: Results) -> list[Verdict]:
    """Sort the explainers by the smallest budget that their interval lies within."""
    timed = timed_explainers(run)
    if not timed:
        return []
    within: dict[str, list[str]] = {}
    for score in timed:
        within.setdefault(budget_of(score), []).append(score.method)
    order = [*BUDGETS, "slower", ""]
    parts = [_part(budget, within[budget]) for budget in order if budget in within]
    quickest = timed[0]
    sorted_by_budget = capitalised("; ".join(parts))
    text = f"{quickest.method} has the shortest median time ({brief(quickest.value)} ms an image). {sorted_by_budget}"
    test = "the 95 % interval of the median over patients lies within the budget (order statistics)"
    figures = tuple(f"{score.method} {shown_score(score)} ms" for score in timed)
    return [Verdict(f"{text}.", test, figures, patients=max(score.n_patients for score in timed))]


def timed_explainers(run: Results) -> list[Score]:
    """Times of the explainers that have one, the quickest first."""
    found = (run.scores.get((name, LATENCY)) for name in run.info.competitors())
    timed = [score for score in found if score is not None and score.value is not None]
    return sorted(timed, key=lambda score: (score.value or 0.0, score.method))


def within_a_second(run: Results) -> tuple[list[str], list[str]]:
    """Explainers with a time, and those of them whose whole interval lies within 1 s; the quickest first."""
    timed = timed_explainers(run)
    return [s.method for s in timed], [s.method for s in timed if budget_of(s) == "1 s"]


def budget_of(score: Score) -> str:
    """Smallest budget that holds the whole interval; `slower` than all, or empty where that cannot be said."""
    if score.low is None or score.high is None:
        return ""
    for name, most in BUDGETS.items():
        if score.high <= most:
            return name
        if score.low <= most:
            return ""
    return "slower"


def _part(budget: str, names: list[str]) -> str:
    if budget == "slower":
        return f"slower than 10 s: {listed(names)}"
    if not budget:
        return f"not to be told on which side of a budget: {listed(names)}"
    return f"within {budget} an image: {listed(names)}"
