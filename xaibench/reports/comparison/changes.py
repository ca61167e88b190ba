"""How the scores of a method differ between two runs, paired by patient and corrected for all tests of the page."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from xaibench.reports.comparison.pairing import Pair
from xaibench.reports.scoring.cell import Score
from xaibench.reports.scoring.comparisons import Comparison, compare, holm
from xaibench.reports.scoring.families import metrics_by_family
from xaibench.reports.scoring.intervals import Values
from xaibench.reports.scoring.results import Results
from xaibench.reports.scoring.values import patient_values


@dataclass(frozen=True)
class Change:
    """A method by a metric in two runs."""

    method: str
    metric: str
    first: Score
    second: Score
    comparison: Comparison | None
    """The second run against the first over the patients of both; None where they share fewer than two.

    Its difference is positive where the second run is better. Its p is corrected (Holm 1979) for all tests of the two
    runs; metrics that count in no rank, and controls, are not tested.
    """
    tested: bool


def changes(pair: Pair) -> list[Change]:
    """Compare each method of both runs by each metric that measures the same and gave a value, families in order."""
    names = [m for group in metrics_by_family(pair.first.info).values() for m in group if m in pair.metrics]
    found = [
        _change(pair, method, metric)
        for metric in names
        for method in pair.methods
        if any(run.scores[method, metric].value is not None for run in (pair.first, pair.second))
    ]
    tested = [change for change in found if change.tested and change.comparison is not None]
    corrected = iter(holm([change.comparison.p for change in tested if change.comparison]))
    return [
        replace(change, comparison=replace(change.comparison, corrected_p=next(corrected)))
        if change.tested and change.comparison
        else change
        for change in found
    ]


def differing(found: Sequence[Change]) -> list[tuple[Change, Comparison]]:
    """Changes that the patients support after the correction."""
    return [
        (one, one.comparison) for one in found if one.tested and one.comparison and one.comparison.differs
    ]


def _change(pair: Pair, method: str, metric: str) -> Change:
    first, second = pair.first, pair.second
    facts = first.info.metrics[metric]
    values = {"second": _values(second, pair, method, metric), "first": _values(first, pair, method, metric)}
    both = np.isfinite(values["first"]) & np.isfinite(values["second"])
    return Change(
        method,
        metric,
        first.scores[method, metric],
        second.scores[method, metric],
        compare(values, [("second", "first")], facts.higher_is_better)[0] if both.sum() >= 2 else None,
        tested=bool(facts.ranked) and not first.info.methods[method].is_control,
    )


def _values(run: Results, pair: Pair, method: str, metric: str) -> Values:
    """One value a shared patient; NaN where there is none."""
    values = patient_values(run.cells, metric, [method])[method]
    return values.reindex(list(pair.patients)).to_numpy(dtype=np.float64)
