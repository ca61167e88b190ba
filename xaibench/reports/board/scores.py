"""Scores of published cells."""

from collections.abc import Iterable, Mapping

from xaibench.harness.store.run_info import MetricInfo, Scope
from xaibench.reports.scoring.cell import Cell
from xaibench.reports.scoring.groups import ALL
from xaibench.reports.scoring.scores import Cells, Scores


def expected_cases(metrics: Mapping[str, MetricInfo], cells: Cells, cases: int) -> dict[str, int]:
    """How many cases each metric was to be computed for, of a cohort of so many.

    A run tells by its cohort which patients a metric with a limit takes. Published pseudonyms have no order to choose
    them by, so these are the cases that any method has a record of.
    """
    found: dict[str, set[str]] = {metric: set() for metric in metrics}
    for (_, metric), records in cells.items():
        found[metric].update(record.case for record in records)
    return {
        metric: cases if facts.scope is Scope.CASE and facts.at_most_patients is None else len(found[metric])
        for metric, facts in metrics.items()
    }


def scores_over_cells(
    methods: Iterable[str], metrics: Mapping[str, MetricInfo], cells: Cells, cases: int
) -> Scores:
    """Score every method by every metric over all cases of a cohort of so many."""
    expected = expected_cases(metrics, cells, cases)
    return {
        (method, metric): Cell(
            method, metric, facts, ALL, expected[metric], cells.get((method, metric), [])
        ).scores([])[0]
        for method in sorted(methods)
        for metric, facts in sorted(metrics.items())
    }
