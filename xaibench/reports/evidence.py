"""Verdicts on where the evidence lies: in the annotated tumour or outside it."""

from collections.abc import Sequence
from statistics import median

from xaibench.reports.findings import Verdict, mean_of, measured, with_interval
from xaibench.reports.leaderboard import Leaderboard, competitors
from xaibench.reports.results import Results
from xaibench.reports.scores import Score, Scores
from xaibench.reports.text import brief, listed, percent, plural

FAITHFUL = 3
"""How many of the most faithful explainers decide where the evidence lies."""
LIES = {
    "below": "the evidence lies outside the tumour",
    "above": "the tumour draws more relevance than chance would give it",
}
SIDES = {
    "above": "more than chance (interval above 1)",
    "below": "less than chance (interval below 1)",
    "around": "not distinguishable from chance (1 within the interval)",
    "unknown": "without an interval, so not comparable with chance",
}


def side_of(score: Score) -> str:
    """Where the interval of an enrichment lies relative to 1, which is what chance gives."""
    if score.low is None or score.high is None:
        return "unknown"
    if score.low > 1:
        return "above"
    return "below" if score.high < 1 else "around"


def location(run: Results) -> list[Verdict]:
    """Say where the evidence lies, over all patients, then for each explained class if there are several.

    The evidence of a class may be missing in the other: a mean over both would hide it.
    """
    names = competitors(run.info)
    overall = _located(("Over all", ""), run.scores, names, run.board)
    if len(run.by_class) < 2:
        return overall
    classes = [
        _located(("In the", f" for whom {name} is explained"), scores, names, run.board)
        for name, scores in run.by_class.items()
    ]
    return overall + [verdict for found in classes for verdict in found]


def _located(
    around: tuple[str, str], scores: Scores, names: Sequence[str], board: Leaderboard
) -> list[Verdict]:
    """Judge by the most faithful explainers, and where they disagree by all; words go around how many patients."""
    found = measured(scores, names, "enrichment")
    if not found:
        return []
    patients = plural(max(s.n_patients for s in found.values()), "patient")
    begin = patients.join((f"{around[0]} ", around[1]))
    faithful = [m for m in _by_faithfulness(board) if m in found][:FAITHFUL]
    for group, which in ((faithful, "the most faithful"), (list(found), "all measured")):
        for side, text in LIES.items():
            hits = [m for m in group if side_of(found[m]) == side]
            if 2 * len(hits) > len(group):
                counted = f"{len(hits)} of {plural(len(group), 'explainer')} ({which}: {listed(group)})"
                text = f"{begin}, {text}: for {counted} the interval of enrichment lies {side} 1."
                return [Verdict(text, warns=side == "below")]
    return [
        Verdict(f"{begin}, it is not settled whether relevance favours the tumour or what lies outside it.")
    ]


def _by_faithfulness(board: Leaderboard) -> list[str]:
    """Ranked explainers, the most faithful first; none where faithfulness was not measured."""
    ranked = [s for s in board.standings if "faithfulness" in s.family_ranks]
    return [s.method for s in sorted(ranked, key=lambda s: (s.family_ranks["faithfulness"], s.method))]


def enrichments(run: Results) -> list[Verdict]:
    """How much of the relevance lies in the tumour, over all explainers and for each."""
    names = competitors(run.info)
    if "enrichment" not in run.info["metrics"] or not names:
        return []
    found = measured(run.scores, names, "enrichment")
    if not found:
        return [Verdict(f"Co-localisation was not measured: {run.scores[names[0], 'enrichment'].reason}.")]
    text = f"Median enrichment of the explainers: {brief(median(map(mean_of, found.values())))} times what chance gives"
    masses = measured(run.scores, names, "relevance-mass")
    if masses:
        share = percent(median(map(mean_of, masses.values())))
        text += f"; the median explainer puts {share} of its positive relevance in the tumour"
    return [Verdict(f"{text}."), _counts(found)]


def _counts(found: dict[str, Score]) -> Verdict:
    sides = [(text, sum(side_of(s) == side for s in found.values())) for side, text in SIDES.items()]
    counted = listed([f"{count} {text}" for text, count in sides if count])
    each = sorted(found.items(), key=lambda item: (-mean_of(item[1]), item[0]))
    text = f"Relevance in the tumour against chance, {plural(len(found), 'explainer')}: {counted}."
    return Verdict(text, tuple(f"{m} {with_interval(s)}" for m, s in each))
