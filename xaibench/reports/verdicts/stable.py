"""Which explainers are stable? Leaders of the robustness metrics that count."""

from xaibench.api import Family
from xaibench.reports.scoring.results import Results
from xaibench.reports.text import plural
from xaibench.reports.verdicts.leading import leading
from xaibench.reports.verdicts.verdict import Verdict


def stable_verdicts(run: Results) -> list[Verdict]:
    """Who leads in each ranked metric of robustness."""
    metrics = [m for m in run.comparable.metrics if run.info.metrics[m].family == Family.ROBUSTNESS]
    if not metrics:
        return [Verdict("Stability was not measured for enough explainers to compare them.", warns=True)]
    return [verdict for metric in metrics for verdict in leading(run, metric, _what(run, metric))]


def _what(run: Results, metric: str) -> str:
    facts = run.info.metrics[metric]
    capped = facts.at_most_patients
    few = (
        f", on {plural(capped, 'patient')}"
        if capped is not None and capped < len(run.info.cohort.patients)
        else ""
    )
    return f"In {metric} ({facts.ranked}{few})"
