"""The results of a reader study as tables of text."""

from statistics import fmean

from xaibench.reports.pages.appendix import Table
from xaibench.reports.readers.questions import NAMES, QUESTIONS
from xaibench.reports.readers.results import Figure, MetricAgreement, ReaderResults
from xaibench.reports.text import ABSENT, brief, figure, p_text, plural

DIGITS = 9
"""Decimals of a figure; what is left beyond them is rounding."""


def tables(found: ReaderResults) -> list[Table]:
    """Tables in the order in which they are shown."""
    return [ratings(found), agreement(found), repeats(found), metrics(found), overlap(found)]


def summary(found: ReaderResults) -> str:
    """Who rated what, in a sentence."""
    return (
        f"{plural(len(found.readers), 'reader')} rated {plural(found.maps, 'map')} of "
        f"{plural(found.patients, 'patient')}; {plural(found.nothing_marked, 'drawing')} marked nothing."
    )


def ratings(found: ReaderResults) -> Table:
    """Mean rating of each method."""
    rows = {
        row.method: {r.question: r.rating for r in found.ratings if r.method == row.method}
        for row in found.ratings
    }
    header = ["method", *(f"{q.name} {'↑' if q.higher_is_better else '↓'}" for q in QUESTIONS), "patients"]
    return Table(
        "Mean rating, 1 to 5: over readers and images of a patient, then over patients, with its 95 % interval",
        header,
        [
            [method, *(_figure(by[name]) for name in NAMES), str(by[NAMES[0]].patients)]
            for method, by in rows.items()
        ],
    )


def agreement(found: ReaderResults) -> Table:
    """Agreement between readers."""
    names = list(dict.fromkeys(row.coefficient for row in found.agreement))
    by = {(row.question, row.coefficient): figure(row.value, row.low, row.high) for row in found.agreement}
    return Table(
        "Agreement between readers, the maps as units: 1 = the same ratings, 0 = as by chance; 95 % intervals from 500 "
        "draws of the patients. Kappa is the mean over pairs of readers. Empty for one reader",
        ["question", *names],
        [[question, *(by[question, name] for name in names)] for question in NAMES] if names else [],
    )


def repeats(found: ReaderResults) -> Table:
    """Agreement within readers."""
    return Table(
        "Agreement within a reader, from the maps that came twice: share rated the same with its 95 % interval, and "
        "quadratic weighted kappa",
        ["reader", "question", "maps", "same", "kappa"],
        [
            [row.reader, row.question, str(row.maps), figure(row.same, row.low, row.high), brief(row.kappa)]
            for row in found.repeats
        ],
    )


def metrics(found: ReaderResults) -> Table:
    """Agreement of metrics with readers, the most alike first."""
    by = {(row.metric, row.question): row for row in found.metrics}
    families = {row.metric: row.family for row in found.metrics}
    ordered = sorted(families, key=lambda metric: (-_mean_correlation(found, metric), metric))
    return Table(
        "Do the metrics agree with the readers? Spearman's correlation over the maps of an image, mean over patients "
        "with its 95 % interval: 1 = both put the same maps first, 0 = unrelated, -1 = the opposite order; ratings and "
        "metrics are turned so that more is better, and maps of controls count too. p: Wilcoxon's signed-rank test "
        "against 0, corrected for all metrics and questions (Holm)",
        [
            "metric",
            "family",
            *(q.name if q.higher_is_better else f"not {q.name}" for q in QUESTIONS),
            "patients",
        ],
        [
            [
                *(metric, families[metric], *(_correlation(by.get((metric, name))) for name in NAMES)),
                str(max(row.correlation.patients for row in found.metrics if row.metric == metric)),
            ]
            for metric in ordered
        ],
    )


def _mean_correlation(found: ReaderResults, metric: str) -> float:
    return fmean(row.correlation.value or 0 for row in found.metrics if row.metric == metric)


def _correlation(row: MetricAgreement | None) -> str:
    return ABSENT if row is None else f"{_figure(row.correlation, 0.0)}, {p_text(row.corrected_p)}"


def overlap(found: ReaderResults) -> Table:
    """Overlap of the drawings."""
    return Table(
        "What the readers drew before they saw a map, and what it overlaps with: mean over patients with its 95 % "
        "interval",
        ["with", "measure", "overlap", "patients"],
        [[row.what, row.measure, _figure(row.overlap), str(row.overlap.patients)] for row in found.overlaps],
    )


def _figure(found: Figure, against: float | None = None) -> str:
    value, low, high = (
        None if each is None else round(each, DIGITS) for each in (found.value, found.low, found.high)
    )
    return figure(value, low, high, against)
