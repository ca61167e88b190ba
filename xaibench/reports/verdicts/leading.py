"""Which explainer leads in a metric, and from which others the patients tell it apart."""

from dataclasses import dataclass

from xaibench.reports.scoring.comparisons import Comparison, against_best
from xaibench.reports.scoring.results import Results
from xaibench.reports.scoring.values import columns_of, patient_values
from xaibench.reports.text import brief, figure, listed, p_text
from xaibench.reports.verdicts.verdict import Verdict, shown_score

TEST = "paired differences over patients: Wilcoxon signed-rank, two-sided, corrected for all pairs of explainers (Holm)"


@dataclass(frozen=True)
class Lead:
    """The explainer with the best mean rank within patients in one metric, against each other one."""

    metric: str
    best: str
    against: tuple[Comparison, ...]
    patients: int

    @property
    def beaten(self) -> list[str]:
        """Explainers that the leader is shown to do better than."""
        return [c.second for c in self.against if c.differs and c.effect.value > 0]

    @property
    def level(self) -> list[str]:
        """Explainers that the leader cannot be told apart from."""
        return [c.second for c in self.against if c.second not in self.beaten]


def lead_of(run: Results, metric: str) -> Lead | None:
    """Find who leads among the explainers; None for fewer than two of them, or without a common patient."""
    values = patient_values(run.cells, metric, run.explainers(metric))
    values = values.dropna(axis="columns", how="all")
    common = values.dropna()
    if values.shape[1] < 2 or common.empty:
        return None
    higher = run.info.metrics[metric].higher_is_better
    ranks = common.rank(axis="columns", ascending=not higher).mean()
    best = str(ranks.sort_index().idxmin())
    return Lead(metric, best, against_best(columns_of(values), best, higher), len(common))


def leading(run: Results, metric: str, place: str = "") -> list[Verdict]:
    """Say who leads, whom the leader beats, and whom not; `place` says in what."""
    lead = lead_of(run, metric)
    if lead is None:
        return []
    begin = f"{place or f'In {metric}'}, {lead.best} ({shown_score(run.scores[lead.best, metric])})"
    if lead.level:
        rest = f", but does better than {listed(lead.beaten)}" if lead.beaten else ""
        text = f"{begin} leads on average; it cannot be told apart from {listed(lead.level)}{rest}"
    else:
        text = f"{begin} comes first: it does better than every other explainer"
    ordered = sorted(lead.against, key=lambda c: c.difference.value)
    return [Verdict(f"{text}.", TEST, tuple(map(difference_text, ordered)), patients=lead.patients)]


def difference_text(found: Comparison) -> str:
    """Write a paired difference with its interval, p, and what could have been seen."""
    difference = found.difference
    shown = figure(difference.value, difference.low, difference.high, against=0.0)
    text = f"median difference from {found.second} {shown}, {p_text(found.corrected_p)}"
    if found.differs:
        return text
    if found.reason:
        return f"{text} ({found.reason})"
    return text if found.visible is None else f"{text} ({brief(found.visible)} would have been seen)"
