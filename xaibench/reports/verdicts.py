"""What the numbers say, in sentences that hold for any run: without masks, of one patient, all failed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from xaibench.reports.leaderboard import CONTROL, Leaderboard, Place, competitors, controls
from xaibench.reports.scores import Info, Outcome, Score, Scores
from xaibench.reports.text import brief, listed, percent, plural, span

TIED_LIMIT = 0.05
"""Share of tied pixels from which a curve rests noticeably on the random order of ties."""
FEW = 10
"""Patients below which intervals are said to be too narrow."""
FAITHFUL = 3
"""How many of the most faithful explainers decide where the evidence lies."""


@dataclass(frozen=True)
class Verdict:
    """A sentence, with particulars below it; `warns` where the reader should be wary."""

    text: str
    particulars: tuple[str, ...] = ()
    warns: bool = False


def verdicts(info: Info, scores: Scores, board: Leaderboard) -> list[Verdict]:
    """All sentences that the run supports, the most important first."""
    makers: list[Callable[[Info, Scores, Leaderboard], list[Verdict]]] = [
        _places,
        _few_patients,
        _location,
        _enrichments,
        _mask_control,
        _random_control,
        _deletion_controls,
        _ties,
    ]
    return [verdict for make in makers for verdict in make(info, scores, board)]


def sentences(found: Sequence[Verdict]) -> list[str]:
    """Verdicts as plain lines, the particulars behind each."""
    return [v.text + (f" ({'; '.join(v.particulars)})" if v.particulars else "") for v in found]


def _value(score: Score) -> str:
    return f"{brief(score.mean)} {span(score.low, score.high)}".rstrip()


def _measured(scores: Scores, methods: Sequence[str], metric: str) -> dict[str, Score]:
    """Scores of the methods that have a whole measurement of the metric."""
    cells = {method: scores.get((method, metric)) for method in methods}
    return {m: s for m, s in cells.items() if s is not None and s.status is Outcome.MEASURED}


def _mean(score: Score) -> float:
    """Return the mean of a measured score."""
    if score.mean is None:
        raise ValueError(f"{score.method}, {score.metric}: {score.status} has no mean")
    return score.mean


def _places(info: Info, scores: Scores, board: Leaderboard) -> list[Verdict]:
    ranked = [s for s in board.standings if s.rank is not None]
    others = [s for s in board.standings if s.place in (Place.INCOMPLETE, Place.NOT_APPLICABLE)]
    names = competitors(info)
    if ranked:
        first = [s.method for s in ranked if s.rank == 1]
        text = (
            f"{len(ranked)} of {plural(len(names), 'explainer')} could be ranked over "
            f"{plural(len(board.metrics), 'metric')} of {len(board.families)} families; "
            f"{listed(first)} {'comes' if len(first) == 1 else 'come'} first "
            f"(mean rank {ranked[0].mean_rank:.2f})."
        )
    else:
        text = f"None of {plural(len(names), 'explainer')} could be ranked."
    missing = [Verdict(f"{s.method} is {s.place.value}: {s.note}.", warns=True) for s in others]
    return [Verdict(text), *missing]


def _few_patients(info: Info, scores: Scores, board: Leaderboard) -> list[Verdict]:
    """A bootstrap over few patients covers less than it says: about 80 % at four patients, for a mean."""
    count = info["cohort"]["patients"]
    if count >= FEW:
        return []
    text = "there are no intervals" if count == 1 else "intervals of a bootstrap over so few are too narrow"
    return [Verdict(f"The cohort has only {plural(count, 'patient')}: {text}.", warns=True)]


# ---------------------------------------------------------------- where the evidence lies


def _side(score: Score) -> str:
    """Where the interval of an enrichment lies relative to 1, which is what chance gives."""
    if score.low is None or score.high is None:
        return "unknown"
    if score.low > 1:
        return "above"
    return "below" if score.high < 1 else "around"


def _location(info: Info, scores: Scores, board: Leaderboard) -> list[Verdict]:
    """Say where the evidence lies, judged by the most faithful explainers, else by most of them."""
    found = _measured(scores, competitors(info), "enrichment")
    if not found:
        return []
    faithful = [m for m in _by_faithfulness(board) if m in found][:FAITHFUL]
    for names, which in ((faithful, "the most faithful"), (list(found), "all measured")):
        for side, text in EVIDENCE.items():
            hits = [m for m in names if _side(found[m]) == side]
            if 2 * len(hits) > len(names):
                counted = f"{len(hits)} of {plural(len(names), 'explainer')} ({which}: {listed(names)})"
                return [
                    Verdict(
                        f"{text}: for {counted} the interval of enrichment lies {side} 1.",
                        warns=side == "below",
                    )
                ]
    return [Verdict("This run does not settle whether the evidence lies in the tumour or outside it.")]


EVIDENCE = {
    "below": "The evidence lies outside the tumour",
    "above": "The evidence lies in the tumour, more than chance would have it",
}


def _by_faithfulness(board: Leaderboard) -> list[str]:
    """Ranked explainers, the most faithful first; none where faithfulness was not measured."""
    ranked = [s for s in board.standings if "faithfulness" in s.family_ranks]
    return [s.method for s in sorted(ranked, key=lambda s: (s.family_ranks["faithfulness"], s.method))]


def _enrichments(info: Info, scores: Scores, board: Leaderboard) -> list[Verdict]:
    """How much of the relevance lies in the tumour, over all explainers and for each."""
    names = competitors(info)
    if "enrichment" not in info["metrics"] or not names:
        return []
    found = _measured(scores, names, "enrichment")
    if not found:
        return [Verdict(f"Co-localisation was not measured: {scores[names[0], 'enrichment'].reason}.")]
    text = f"Median enrichment of the explainers: {brief(median(map(_mean, found.values())))} times what chance gives"
    masses = _measured(scores, names, "relevance-mass")
    if masses:
        share = percent(median(map(_mean, masses.values())))
        text += f"; the median explainer puts {share} of its positive relevance in the tumour"
    return [Verdict(f"{text}."), _counts(found)]


def _counts(found: dict[str, Score]) -> Verdict:
    sides = [(text, sum(_side(s) == side for s in found.values())) for side, text in SIDES.items()]
    counted = listed([f"{count} {text}" for text, count in sides if count])
    each = sorted(found.items(), key=lambda item: (-_mean(item[1]), item[0]))
    text = f"Relevance in the tumour against chance, {plural(len(found), 'explainer')}: {counted}."
    return Verdict(text, tuple(f"{m} {_value(s)}" for m, s in each))


SIDES = {
    "above": "more than chance (interval above 1)",
    "below": "less than chance (interval below 1)",
    "around": "not distinguishable from chance (1 within the interval)",
    "unknown": "without an interval, so not comparable with chance",
}


# ---------------------------------------------------------------- controls


def _mask_control(info: Info, scores: Scores, board: Leaderboard) -> list[Verdict]:
    """The annotation must hold all of its own mass: anything else is a fault of masks or metric."""
    found = _measured(scores, list(info["methods"]), "relevance-mass")
    mask = found.pop("mask", None)
    if mask is None or info["methods"]["mask"]["family"] != CONTROL:
        return []
    ahead = [m for m, s in found.items() if _mean(s) > _mean(mask)]
    level = [m for m, s in found.items() if _mean(s) == _mean(mask)]
    if ahead:
        text = f"mask is not first in relevance-mass ({_value(mask)}), but behind {listed(ahead)}"
        return [Verdict(f"{text}: a fault of the masks or of the metric.", warns=True)]
    shared = f", together with {listed(level)}" if level else ""
    return [Verdict(f"mask, the annotation itself, is first in relevance-mass ({_value(mask)}){shared}.")]


def _random_control(info: Info, scores: Scores, board: Leaderboard) -> list[Verdict]:
    """A random map must have enrichment 1."""
    score = _measured(scores, controls(info), "enrichment").get("random")
    if score is None:
        return []
    if score.low is None or score.high is None:
        return [Verdict(f"random has enrichment {_value(score)}; one patient gives no interval.")]
    if score.low <= 1 <= score.high:
        return [Verdict(f"random has enrichment 1 within its interval: {_value(score)}.")]
    few = info["cohort"]["patients"] < FEW
    why = (
        "intervals over so few patients are too narrow" if few else "1 in 20 such intervals misses by chance"
    )
    text = f"random does not have enrichment 1 within its interval: {_value(score)}; {why}."
    return [Verdict(text, warns=True)]


def _deletion_controls(info: Info, scores: Scores, board: Leaderboard) -> list[Verdict]:
    """How many explainers do worse than maps that never looked at the model."""
    rivals = _measured(scores, competitors(info), "deletion-auc")
    found = _measured(scores, controls(info), "deletion-auc")
    if not rivals or not found:
        return []
    beaten = {name: sum(_is_better(info, score, s) for s in rivals.values()) for name, score in found.items()}
    counts = listed([f"{name} is better than {count}" for name, count in beaten.items()])
    text = (
        f"In deletion-auc {counts} of {plural(len(rivals), 'explainer')}; controls never look at the model."
    )
    # The annotation may well mark the evidence better than any explainer; the other controls should not.
    warns = any(2 * count >= len(rivals) for name, count in beaten.items() if name != "mask")
    return [Verdict(text, warns=warns)]


def _is_better(info: Info, one: Score, other: Score) -> bool:
    sign = 1 if info["metrics"][one.metric]["higher_is_better"] else -1
    return sign * _mean(one) > sign * _mean(other)


def _ties(info: Info, scores: Scores, board: Leaderboard) -> list[Verdict]:
    """Name the methods whose curves rest on the random order of equal pixels."""
    shares: dict[str, float] = {}
    for (method, metric), score in scores.items():
        if metric.endswith(".tied_share") and score.mean is not None:
            shares[method] = max(score.mean, shares.get(method, 0.0))
    flagged = tuple(f"{m} {percent(share)}" for m, share in sorted(shares.items()) if share > TIED_LIMIT)
    if not flagged:
        return []
    text = "More than 5 % of the pixels are tied with others, so part of the curves rests on a random order"
    return [Verdict(f"{text}, in {plural(len(flagged), 'method')}.", flagged, warns=True)]
