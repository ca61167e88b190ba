"""Do the metrics agree? Where faithful maps do not lie on the finding, that is said."""

from collections.abc import Sequence

from xaibench.api import Family
from xaibench.reports.scoring.agreement import Agreement
from xaibench.reports.scoring.location import METRIC
from xaibench.reports.scoring.results import Results
from xaibench.reports.text import figure, listed, p_text, verb
from xaibench.reports.verdicts.faithful import gains, metric_of
from xaibench.reports.verdicts.verdict import Verdict

TEST = (
    "Kendall's tau-b over the explainers within each patient, below 0: Wilcoxon signed-rank, one-sided, Holm"
)


def agreement_verdicts(run: Results) -> list[Verdict]:
    """Explainers that are faithful and lie elsewhere, then families of metrics that contradict each other."""
    return [*faithful_elsewhere(run), *contradictions(run.family_agreements)]


def faithful_elsewhere(run: Results) -> list[Verdict]:
    """Name the explainers that are faithful, and whose relevance lies outside the region."""
    metric = metric_of(run)
    if metric is None or METRIC not in run.info.metrics:
        return []
    faithful = {gain.method for gain in gains(run, metric) if gain.above_chance}
    found = [x for x in run.locations if x.below and x.method in faithful]
    if not found:
        return []
    names, region = [x.method for x in found], run.info.cohort.region_name
    text = (
        f"{listed(names)} {verb(names, 'is', 'are')} faithful, and yet {verb(names, 'its', 'their')} relevance lies "
        f"outside the {region}: faithfulness and co-localisation contradict each other, as they do where the model "
        f"decides by something other than the {region}"
    )
    test = f"both tests above: the gain in {metric}, and {METRIC} below chance"
    return [Verdict(f"{text}.", test, warns=True, patients=min(x.enrichment.n for x in found))]


def contradictions(found: Sequence[Agreement]) -> list[Verdict]:
    """Name the pairs of families that order the explainers in opposite ways."""
    return [
        Verdict(
            f"{_pair(each)} put the explainers in opposite orders{_meaning(each)}.",
            TEST,
            (agreement_text(each),),
            True,
            each.correlation.n,
        )
        for each in found
        if each.contradict
    ]


def _pair(found: Agreement) -> str:
    return f"{found.first.capitalize()} and {found.second}"


def _meaning(found: Agreement) -> str:
    if {found.first, found.second} != {Family.FAITHFULNESS, Family.COLOCALISATION}:
        return ""
    return ": the better a map tells what the model uses, the less it lies on the annotated region"


def agreement_text(found: Agreement) -> str:
    """Write a correlation with its interval, such as `tau -0.4 [-0.6, -0.2], p = 0.01`."""
    tau = found.correlation
    return f"tau {figure(tau.value, tau.low, tau.high, against=0.0)}, {p_text(found.corrected_p)}"
