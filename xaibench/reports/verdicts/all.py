"""What the numbers say, in sentences that hold for any run: without masks, of one patient, all failed."""

from collections.abc import Sequence

from xaibench.reports.scoring.leaderboard import Place, competitors
from xaibench.reports.scoring.results import Results
from xaibench.reports.text import listed, percent, plural
from xaibench.reports.verdicts.controls import beaten_explainers, mask_control, random_control
from xaibench.reports.verdicts.location import enrichments, location
from xaibench.reports.verdicts.simulated_images import recognition
from xaibench.reports.verdicts.verdict import FEW, Verdict

TIED_LIMIT = 0.05
"""Share of tied pixels from which a curve rests noticeably on the random order of ties."""


def verdicts(run: Results) -> list[Verdict]:
    """All sentences that the run supports, the most important first."""
    makers = [
        *(places, _few_patients, location, enrichments, recognition),
        *(mask_control, random_control, beaten_explainers, _ties),
    ]
    return [verdict for make in makers for verdict in make(run)]


def sentences(found: Sequence[Verdict]) -> list[str]:
    """Verdicts as plain lines, the particulars behind each."""
    return [v.text + (f" ({'; '.join(v.particulars)})" if v.particulars else "") for v in found]


def places(run: Results) -> list[Verdict]:
    """Who comes first, and who could not be ranked."""
    ranked = [s for s in run.board.standings if s.rank is not None]
    others = [s for s in run.board.standings if s.place in (Place.INCOMPLETE, Place.NOT_APPLICABLE)]
    explainers = plural(len(competitors(run.info)), "explainer")
    if ranked:
        first = [s.method for s in ranked if s.rank == 1]
        text = (
            f"{len(ranked)} of {explainers} could be ranked over "
            f"{plural(len(run.board.metrics), 'metric')} of {len(run.board.families)} families; "
            f"{listed(first)} {'comes' if len(first) == 1 else 'come'} first "
            f"(mean rank {ranked[0].mean_rank:.2f})."
        )
    else:
        text = f"None of {explainers} could be ranked."
    missing = [Verdict(f"{s.method} is {s.place.value}: {s.note}.", warns=True) for s in others]
    return [Verdict(text), *missing]


def _few_patients(run: Results) -> list[Verdict]:
    """A bootstrap over few patients covers less than it says: 78 % at four, 89 % at ten (normal values)."""
    count = run.info["cohort"]["patients"]
    if count >= FEW:
        return []
    text = "there are no intervals" if count == 1 else "intervals of a bootstrap over so few are too narrow"
    return [Verdict(f"The cohort has only {plural(count, 'patient')}: {text}.", warns=True)]


def _ties(run: Results) -> list[Verdict]:
    """Name the methods whose curves rest on the random order of equal pixels."""
    shares: dict[str, float] = {}
    for (method, metric), score in run.scores.items():
        if metric.endswith(".tied_share") and score.mean is not None:
            shares[method] = max(score.mean, shares.get(method, 0.0))
    flagged = tuple(f"{m} {percent(share)}" for m, share in sorted(shares.items()) if share > TIED_LIMIT)
    if not flagged:
        return []
    text = "more than 5 % of the pixels share their value with others, so part of the curves rests on a random order"
    return [Verdict(f"In {plural(len(flagged), 'method')} {text}.", flagged, warns=True)]
