"""Does relevance lie on the annotated region? Against chance in the image and in the body, and blind controls."""

import math
from collections.abc import Container, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from xaibench.harness.store.run_info import RunInfo
from xaibench.metrics.common.shifts import SHIFTS
from xaibench.reports.scoring.comparisons import Comparison, compare, holm
from xaibench.reports.scoring.intervals import Estimate, Values, estimate
from xaibench.reports.scoring.scores import GAIN, Cells
from xaibench.reports.scoring.signed_rank import SIGNIFICANT, p_value
from xaibench.reports.scoring.values import columns_of, patient_values

METRIC = "enrichment"
BODY = "body_enrichment"
"""Detail of enrichment: with the air around the body left out."""
BLIND = ("edges", "centre", "random-smooth")
"""Controls that never look at the model, and still may lie on a finding in the middle of the image."""


@dataclass(frozen=True)
class Location:
    """How much relevance one explainer puts on the region, over patients."""

    method: str
    enrichment: Estimate
    p_above: float
    """Corrected p of more than chance, in the image and in the body."""
    p_below: float
    """Corrected p of less than chance."""
    against: tuple[Comparison, ...]
    """The explainer against each blind control, corrected for all explainers and controls."""

    @property
    def above(self) -> bool:
        """Whether the data tell that there is more than chance."""
        return self.p_above < SIGNIFICANT

    @property
    def below(self) -> bool:
        """Whether the data tell that there is less than chance."""
        return self.p_below < SIGNIFICANT

    @property
    def unbeaten(self) -> tuple[str, ...]:
        """Blind controls that the explainer is not shown to beat."""
        return tuple(c.second for c in self.against if not (c.differs and c.effect.value > 0))

    @property
    def beaten_by(self) -> tuple[str, ...]:
        """Blind controls that the explainer is shown to do worse than."""
        return tuple(c.second for c in self.against if c.differs and c.effect.value < 0)


def locations(
    info: RunInfo, cells: Cells, explainers: Sequence[str], members: Container[str] | None = None
) -> tuple[Location, ...]:
    """Locate the relevance of the explainers that were measured; `members` are the cases to take (default: all)."""
    values = patient_values(cells, METRIC, explainers, members=members).dropna(axis="columns", how="all")
    methods = [str(name) for name in values]
    facts = info.metrics[METRIC]
    above = [_p_above(cells, method, members) for method in methods]
    below = [_p_below(cells, method, members) for method in methods]
    against = _against_blind(info, cells, methods, members)
    return tuple(
        Location(
            method,
            estimate(column[np.isfinite(column)], facts.aggregate, facts.bounds),
            p_above,
            p_below,
            tuple(c for c in against if c.first == method),
        )
        for (method, column), p_above, p_below in zip(
            columns_of(values).items(), holm(above), holm(below), strict=True
        )
    )


def _p_above(cells: Cells, method: str, members: Container[str] | None) -> float:
    """More than the same map shifted and, where that was recorded, more than chance within the body: both hold."""
    surplus = [_over_chance(cells, method, members)]
    body = _column(cells, method, BODY, members)
    return max(p_value(values, "greater") for values in [*surplus, *([body - 1] if len(body) else [])])


def _p_below(cells: Cells, method: str, members: Container[str] | None) -> float:
    """Less than the same map shifted in most patients (Wilcoxon) and on average (Student's t): both hold.

    A concentrated map misses a small region in most places, so most of its patients lie below the average of chance
    even if it knows nothing, and few patients may all do: Wilcoxon's test alone said "less than chance" of 8 to 70 % of
    such maps (6 to 28 patients), both together of 0 to 6 % (tests/reports/test_location.py). Where the shifted copies
    vary more than the differences do, t takes their spread: a map without knowledge varies as they do.
    """
    gains = _over_chance(cells, method, members)
    if len(gains) < 2:
        return 1.0
    values = _column(cells, method, None, members)
    # Without knowledge a value varies as each shifted copy, that is SHIFTS times as much as their mean.
    of_shifted = (1 + SHIFTS) * float((values - gains).var(ddof=1))
    error = math.sqrt(max(of_shifted, float(gains.var(ddof=1))) / len(gains))
    t = float(gains.mean()) / error if error else math.copysign(math.inf, float(gains.mean()))
    return max(p_value(gains, "less"), float(stats.t.cdf(t, len(gains) - 1)))


def _over_chance(cells: Cells, method: str, members: Container[str] | None) -> Values:
    """Gain over shifted copies a patient; over 1, which is chance, where no copies were recorded."""
    gains = _column(cells, method, GAIN, members)
    return gains if len(gains) else _column(cells, method, None, members) - 1


def _column(cells: Cells, method: str, detail: str | None, members: Container[str] | None) -> Values:
    values = patient_values(cells, METRIC, [method], detail, members)[method].to_numpy(dtype=np.float64)
    return np.asarray(values[np.isfinite(values)])


def _against_blind(
    info: RunInfo, cells: Cells, methods: Sequence[str], members: Container[str] | None
) -> tuple[Comparison, ...]:
    blind = [name for name in BLIND if name in info.controls()]
    values = patient_values(cells, METRIC, [*methods, *blind], members=members)
    blind = [name for name in blind if values[name].notna().any()]
    pairs = [(method, control) for method in methods for control in blind]
    return compare(columns_of(values), pairs, info.metrics[METRIC].higher_is_better)
