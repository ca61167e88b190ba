"""What may be compared: the metrics that count, the explainers that have them, and the cases that all of them have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from xaibench.api import Family
from xaibench.harness.store.run_info import RunInfo, Scope
from xaibench.reports.scoring.cell import is_measured
from xaibench.reports.scoring.scores import Cells
from xaibench.reports.scoring.values import case_values
from xaibench.reports.text import listed, percent
from xaibench.validation.shipped import failed_metrics

MOST_MISSING = 0.10
"""Share of a metric's cases that a ranked explainer may miss."""


@dataclass(frozen=True)
class Comparable:
    """Who is compared over what."""

    metrics: tuple[str, ...]
    """Metrics that count, sorted."""
    explainers: Mapping[str, tuple[str, ...]]
    """By ranked metric, the explainers that miss at most a tenth of its cases, sorted."""
    complete: tuple[str, ...]
    """Explainers that do so in every metric that counts: the ranked ones, sorted."""
    gaps: Mapping[str, str]
    """Explainers that miss more, with the reason."""
    left_out: Mapping[str, str]
    """Metrics that do not count, with the reason."""

    def facts(self, info: RunInfo) -> dict[str, list[str]]:
        """Metrics that count, by the fact that they stand for."""
        found: dict[str, list[str]] = {}
        for metric in self.metrics:
            found.setdefault(info.metrics[metric].ranked, []).append(metric)
        return found


def comparable(info: RunInfo, cells: Cells) -> Comparable:
    """Find the metrics and explainers that are ranked; controls are no competitors."""
    names = [name for name in info.competitors() if _has_any(cells, info, name)]
    left_out = {metric: why for metric in sorted(info.metrics) if (why := _unranked(info, metric))}
    missing: dict[str, pd.Series] = {}
    for metric in sorted({*info.metrics} - {*left_out}):
        values = case_values(cells, metric, names)
        have = [name for name in names if values[name].notna().any()]
        if why := _too_few(have, names):
            left_out[metric] = why
        else:
            missing[metric] = _shares_missing(values, have)
    gaps = {name: gap for name in names if (gap := _gap(missing, name))}
    complete = tuple(name for name in names if name not in gaps)
    shared = [metric for metric in missing if not case_values(cells, metric, complete).dropna().empty]
    left_out |= {m: "no case was measured for every complete explainer" for m in missing if m not in shared}
    explainers = {
        metric: tuple(name for name in names if shares[name] <= MOST_MISSING)
        for metric, shares in missing.items()
    }
    return Comparable(tuple(shared), explainers, complete, gaps, dict(sorted(left_out.items())))


def _has_any(cells: Cells, info: RunInfo, method: str) -> bool:
    return any(is_measured(r) for metric in info.metrics for r in cells.get((method, metric), []))


def _unranked(info: RunInfo, metric: str) -> str:
    """Why a metric is never ranked; empty if it may be."""
    facts = info.metrics[metric]
    if facts.family == Family.COST:
        return "cost is an axis of its own"
    if facts.family == Family.COHORT or facts.scope is not Scope.CASE:
        return "not a figure of single cases"
    if metric in failed_metrics(facts.package):
        return "could not tell truth from no knowledge (docs/validation.md)"
    return "" if facts.ranked else "shown beside the ranked metric of the same fact"


def _too_few(have: Sequence[str], names: Sequence[str]) -> str:
    """Why a metric cannot be compared; empty if at least half of the explainers have it."""
    if 2 * len(have) >= len(names) and have:
        return ""
    return f"measured for {listed(have)} only" if have else "measured for no explainer"


def _shares_missing(values: pd.DataFrame, have: Sequence[str]) -> pd.Series:
    """For each explainer the share of cases it misses, among those that at least half of `have` measured."""
    counted = values[2 * values[list(have)].notna().sum(axis=1) >= len(have)]
    return counted.isna().mean()


def _gap(missing: Mapping[str, pd.Series], method: str) -> str:
    shares = {metric: float(column[method]) for metric, column in missing.items()}
    metric = max(shares, key=lambda name: shares[name], default="")
    if not metric or shares[metric] <= MOST_MISSING:
        return ""
    return f"misses {percent(shares[metric])} of the cases of {metric}"
