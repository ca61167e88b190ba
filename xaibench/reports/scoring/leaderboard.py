"""Who stands where: mean rank over metric families, each the mean rank over its metrics.

Only explainers that are complete are ranked, and only over metrics that all of them have measured on the
same number of cases. Controls are no competitors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import fmean

from xaibench.api import Family
from xaibench.reports.scoring.scores import Info, Outcome, Score, Scores
from xaibench.reports.scoring.statistics import ranks
from xaibench.reports.text import ABSENT, exact, plural

CONTROL = "control"


class Place(StrEnum):
    """What a method is on the leaderboard; shown in this order."""

    RANKED = "ranked"
    UNRANKED = "not ranked"
    CONTROL = "control"
    INCOMPLETE = "incomplete"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class Standing:
    """One method's line of the leaderboard."""

    method: str
    family: str
    place: Place
    rank: int | None = None
    """1 = best; methods with the same mean rank share it. None where the method is not ranked."""
    mean_rank: float | None = None
    family_ranks: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    """Why the method is not ranked; empty for ranked ones and for controls."""


@dataclass(frozen=True)
class Leaderboard:
    """All methods: competitors best first, then controls, incomplete ones and ones that do not apply."""

    standings: list[Standing]
    families: list[str]
    """Metric families that count, in a fixed order."""
    metrics: list[str]
    """Metrics that count."""
    left_out: dict[str, str]
    """Metrics that do not count, with the reason."""

    def header(self) -> list[str]:
        """Column titles of `rows`."""
        return ["rank", "method", "family", "status", "mean rank", *self.families]

    def rows(self) -> list[list[str]]:
        """One line of text a method: rank, name, family, status, mean rank, and the rank in each family."""
        return [
            [
                ABSENT if s.rank is None else str(s.rank),
                *(s.method, s.family, s.place.value),
                ABSENT if s.mean_rank is None else f"{s.mean_rank:.2f}",
                *(f"{s.family_ranks[f]:.2f}" if f in s.family_ranks else ABSENT for f in self.families),
            ]
            for s in self.standings
        ]


def leaderboard_of(info: Info, scores: Scores) -> Leaderboard:
    """Rank the complete competitors and place all others."""
    places = {method: _place(info, scores, method) for method in sorted(info["methods"])}
    complete = [method for method, place in places.items() if place is Place.RANKED]
    left_out = {metric: _left_out(info, scores, complete, metric) for metric in sorted(info["metrics"])}
    metrics = [metric for metric, reason in left_out.items() if not reason]
    families = in_order({info["metrics"][metric]["family"] for metric in metrics})
    by_family = {family: _family_ranks(info, scores, complete, metrics, family) for family in families}
    ranked = _ranked(info, complete, by_family)
    others = [
        Standing(method, info["methods"][method]["family"], place, note=_note(info, scores, method, place))
        for method, place in places.items()
        if place is not Place.RANKED
    ]
    others.sort(key=lambda s: (list(Place).index(s.place), s.method))
    return Leaderboard(ranked + others, families, metrics, {m: why for m, why in left_out.items() if why})


def in_order(families: set[str]) -> list[str]:
    """Sort families as xaibench lists them, those of plugins behind."""
    known = [family.value for family in Family]
    return sorted(families, key=lambda f: (known.index(f) if f in known else len(known), f))


def metrics_by_family(info: Info) -> dict[str, list[str]]:
    """Metrics of each family, both in a fixed order."""
    families = in_order({facts["family"] for facts in info["metrics"].values()})
    return {
        family: [name for name, facts in sorted(info["metrics"].items()) if facts["family"] == family]
        for family in families
    }


def competitors(info: Info) -> list[str]:
    """Methods that are no controls."""
    return [name for name, facts in sorted(info["methods"].items()) if facts["family"] != CONTROL]


def controls(info: Info) -> list[str]:
    """Methods that never ask what the model decides, or that know the answer."""
    return [name for name, facts in sorted(info["methods"].items()) if facts["family"] == CONTROL]


def _holes(info: Info, scores: Scores, method: str) -> list[Score]:
    """Cells that should hold a number and do not; a method need not explain cohorts to be complete."""
    bad = {Outcome.FAILED, Outcome.INCOMPLETE}
    cells = [(scores[method, metric], facts["scope"]) for metric, facts in sorted(info["metrics"].items())]
    return [
        score
        for score, scope in cells
        if score.status in bad or (score.status is Outcome.MISSING and scope != "cohort")
    ]


def _place(info: Info, scores: Scores, method: str) -> Place:
    if info["methods"][method]["family"] == CONTROL:
        return Place.CONTROL
    if _holes(info, scores, method):
        return Place.INCOMPLETE
    if all(scores[method, m].status is not Outcome.MEASURED for m in info["metrics"]):
        return Place.NOT_APPLICABLE
    return Place.RANKED


def _note(info: Info, scores: Scores, method: str, place: Place) -> str:
    holes = _holes(info, scores, method)
    if place is Place.NOT_APPLICABLE:
        # Without the count in front: no case could be explained anyhow.
        return scores[method, min(info["metrics"])].reason.partition(": ")[2]
    if not holes:
        return ""
    return f"{plural(len(holes), 'metric')} of {len(info['metrics'])} without all numbers: {holes[0].reason}"


def _left_out(info: Info, scores: Scores, complete: Sequence[str], metric: str) -> str:
    """Why a metric does not count; empty if it does."""
    if info["metrics"][metric]["scope"] == "cohort":
        return "describes explanations of a whole cohort, which few methods make"
    if not complete:
        return "no explainer is complete"
    without = [m for m in complete if scores[m, metric].status is not Outcome.MEASURED]
    if without:
        return f"not measured for {', '.join(without)}"
    if len({scores[m, metric].n_cases for m in complete}) > 1:
        return "measured on different numbers of cases"
    return ""


def _family_ranks(
    info: Info, scores: Scores, complete: Sequence[str], metrics: Sequence[str], family: str
) -> dict[str, float]:
    """Mean rank of each method over the metrics of a family."""
    columns = []
    for metric in (m for m in metrics if info["metrics"][m]["family"] == family):
        # Values as scores.csv writes them: what differs by rounding only shares a rank.
        values = [float(exact(scores[method, metric].mean)) for method in complete]
        columns.append(ranks(values, info["metrics"][metric]["higher_is_better"]))
    return {method: fmean(found) for method, found in zip(complete, zip(*columns, strict=True), strict=True)}


def _ranked(
    info: Info, complete: Sequence[str], by_family: Mapping[str, Mapping[str, float]]
) -> list[Standing]:
    if not by_family:
        note = "no metric was measured by every complete explainer"
        return [Standing(m, info["methods"][m]["family"], Place.UNRANKED, note=note) for m in complete]
    rows = {m: {family: found[m] for family, found in by_family.items()} for m in complete}
    means = {m: float(exact(fmean(row.values()))) for m, row in rows.items()}
    return [
        Standing(
            m,
            info["methods"][m]["family"],
            Place.RANKED,
            rank=1 + sum(other < means[m] for other in means.values()),
            mean_rank=means[m],
            family_ranks=rows[m],
        )
        for m in sorted(complete, key=lambda m: (means[m], m))
    ]
