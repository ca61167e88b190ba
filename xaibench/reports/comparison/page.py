"""The page that compares two runs, and its table for machines."""

from collections.abc import Sequence

import pandas as pd

from xaibench.harness.store.folder import RunFolder
from xaibench.reports.comparison.changes import Change, changes, differing
from xaibench.reports.comparison.pairing import Pair
from xaibench.reports.pages.appendix import Table
from xaibench.reports.pages.frames import csv_text
from xaibench.reports.pages.markdown import arrow, cell_text
from xaibench.reports.pages.rendering import rendered
from xaibench.reports.scoring.results import Results, read
from xaibench.reports.scoring.signed_rank import SIGNIFICANT, smallest_p
from xaibench.reports.text import ABSENT, brief, figure, p_text, percent, plural


def write_comparison(first: RunFolder, second: RunFolder, names: tuple[str, str]) -> list[str]:
    """Write comparison.html and comparison.csv into the second run's folder; returns what they say, in sentences."""
    pair = Pair(read(first), read(second), names)
    found = changes(pair)
    second.write_text("comparison.csv", csv_text(frame(found)))
    second.write_text("comparison.html", page(pair, found))
    return findings(pair, found)


def page(pair: Pair, found: Sequence[Change]) -> str:
    """Render the comparison."""
    return rendered(
        "comparison.html.j2",
        pair=pair,
        findings=findings(pair, found),
        facts=facts(pair),
        places=places(pair),
        tables=[metric_table(pair, metric, found) for metric in dict.fromkeys(one.metric for one in found)],
    )


def findings(pair: Pair, found: Sequence[Change]) -> list[str]:
    """What the two runs have in common and where they differ, in sentences."""
    first, second = pair.names
    tests = sum(one.tested and one.comparison is not None for one in found)
    own, theirs = (len(run.info.cohort.patients) for run in (pair.first, pair.second))
    told = [
        f"{plural(len(pair.patients), 'patient')} in both runs (of {own} and {theirs}), paired by pseudonym."
        if pair.patients
        else "The runs share no patients, so nothing is tested; the intervals of the two stand side by side."
    ]
    told += [f"{name} is not the same in both runs: {why}." for name, why in pair.changed_methods().items()]
    differ = differing(found)
    if tests:
        told.append(
            f"{len(differ)} of {plural(tests, 'test')} tell the runs apart (corrected for all of them)."
        )
    if tests and tests * smallest_p(len(pair.patients)) >= SIGNIFICANT:
        told.append(
            "So few patients could not tell anything apart: were all of one mind, no p would be small enough."
        )
    for one, comparison in differ:
        better = second if comparison.effect.value > 0 else first
        values = f"{brief(one.first.value)} and {brief(one.second.value)}"
        told.append(
            f"{one.method} has the better {one.metric} in {better}: {values}, {p_text(comparison.corrected_p)}."
        )
    return told


def facts(pair: Pair) -> Table:
    """What was run in both, side by side."""
    rows = [[what, *map(value, (pair.first, pair.second))] for what, value in FACTS.items()]
    return Table("What is compared", ["", *pair.names], rows)


def _right(run: Results) -> str:
    if run.performance is None:
        return ABSENT
    accuracy = run.performance.accuracy
    return f"{accuracy.hits} of {accuracy.of} ({percent(accuracy.value)})"


FACTS = {
    "model": lambda run: run.info.model.name,
    "model key": lambda run: run.info.model.key,
    "cohort": lambda run: run.info.cohort.name,
    "patients": lambda run: str(len(run.info.cohort.patients)),
    "the model is right in": _right,
    "seed": lambda run: str(run.info.spec.get("seed", ABSENT)),
    "preset": lambda run: str(run.info.spec.get("preset", ABSENT)),
    "xaibench": lambda run: run.info.versions.get("xaibench", ABSENT),
}


def places(pair: Pair) -> Table:
    """Place and mean rank of each method, each among the methods of its own run."""
    lines = [{line.method: line for line in run.board.lines} for run in (pair.first, pair.second)]
    rows = []
    for method in [line.method for line in pair.first.board.lines if line.method in lines[1]]:
        row = [method]
        for own in lines:
            standing = own[method].standing
            row += [own[method].place, ABSENT if standing is None else f"{standing.mean_rank:.2f}"]
        rows.append(row)
    header = ["method", *(f"{what}, {name}" for name in pair.names for what in ("place", "mean rank"))]
    return Table("Places, each among the explainers of its own run", header, rows)


def metric_table(pair: Pair, metric: str, found: Sequence[Change]) -> Table:
    """Values of a metric in both runs and their paired difference."""
    better = arrow(pair.first.info.metrics[metric].higher_is_better)
    header = ["method", *pair.names, f"{pair.names[1]} better by", "effect", "patients", "corrected p"]
    rows = [_row(one) for one in found if one.metric == metric]
    return Table(f"{metric} {better}", header, rows)


def _row(one: Change) -> list[str]:
    values = [one.method, cell_text(one.first), cell_text(one.second)]
    found = one.comparison
    if found is None:
        return [*values, ABSENT, ABSENT, "0", ABSENT]
    difference, effect = found.difference, found.effect
    return [
        *values,
        figure(difference.value, difference.low, difference.high, against=0.0),
        figure(effect.value, effect.low, effect.high, against=0.0),
        str(difference.n),
        p_text(found.corrected_p) if one.tested else "not tested",
    ]


def frame(found: Sequence[Change]) -> pd.DataFrame:
    """One row a method and metric."""
    rows = []
    for one in found:
        compared = one.comparison
        difference = compared.difference if compared else None
        rows.append(
            {
                **{"method": one.method, "metric": one.metric},
                **{"first": one.first.value, "second": one.second.value},
                "better_by": difference.value if difference else None,
                "low": difference.low if difference else None,
                "high": difference.high if difference else None,
                "effect": compared.effect.value if compared else None,
                "p": compared.p if compared else None,
                "corrected_p": compared.corrected_p if compared and one.tested else None,
                "n_patients": difference.n if difference else 0,
            }
        )
    numbers = ["first", "second", "better_by", "low", "high", "effect", "p", "corrected_p"]
    columns = ["method", "metric", *numbers, "n_patients"]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(numbers, float))
