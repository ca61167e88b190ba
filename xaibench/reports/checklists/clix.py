"""What a run, and a reader study of it, measured that is nearest to the items of CLIX-M."""

from collections.abc import Callable, Mapping

from xaibench.api import Family
from xaibench.reports.checklists import facts
from xaibench.reports.readers.results import ReaderResults
from xaibench.reports.scoring.families import metrics_by_family
from xaibench.reports.scoring.results import Results
from xaibench.reports.text import apart, brief, plural

Answer = Callable[[Results, ReaderResults | None], str]
"""What is known of an item; empty where nothing is."""


def _rated(question: str) -> Answer:
    """Lowest and highest mean rating over the explainers."""

    def answer(run: Results, readers: ReaderResults | None) -> str:
        competitors = run.info.competitors()
        means = {
            row.method: row.rating.value
            for row in (readers.ratings if readers else ())
            if row.question == question and row.method in competitors and row.rating.value is not None
        }
        if readers is None or not means:
            return ""
        worst, best = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
        return (
            f"Reader study, question '{question}' (1 to 5): {plural(len(readers.readers), 'reader')}, mean ratings "
            f"{brief(means[worst])} ({worst}) to {brief(means[best])} ({best})."
        )

    return answer


def _measured(*families: Family) -> Answer:
    """Lowest and highest value over the explainers for each metric of some families."""

    def answer(run: Results, readers: ReaderResults | None) -> str:
        names = [
            name
            for family, found in metrics_by_family(run.info).items()
            if family in families
            for name in found
        ]
        return _ranges(run, names)

    return answer


def _consistency(run: Results, readers: ReaderResults | None) -> str:
    return _ranges(
        run, [name for name in ("rerun-consistency", "class-consistency") if name in run.info.metrics]
    )


def _ranges(run: Results, metrics: list[str]) -> str:
    found = []
    for metric in metrics:
        scores = [run.scores[method, metric].value for method in run.info.competitors()]
        values = [value for value in scores if value is not None]
        if values:
            found.append(f"{metric} {' to '.join(dict.fromkeys(apart(min(values), max(values))))}")
    return f"Lowest to highest over the explainers that were measured: {'; '.join(found)}." if found else ""


def _limitations(run: Results, readers: ReaderResults | None) -> str:
    return (
        f"{facts.gaps(run.records)}; the reasons stand in the report. What chance scores by each metric stands in its "
        "glossary."
    )


ANSWERS: Mapping[int, Answer] = {
    2: _rated("on-finding"),
    3: _rated("misleading"),
    4: _rated("useful"),
    5: _measured(Family.COLOCALISATION, Family.FAITHFULNESS),
    7: _consistency,
    8: _measured(Family.ROBUSTNESS),
    14: _limitations,
}
