"""Verdicts on where the evidence lies: in the annotated tumour or outside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from xaibench.reports.scoring.leaderboard import Leaderboard, competitors
from xaibench.reports.scoring.results import Results
from xaibench.reports.scoring.scores import Score, Scores
from xaibench.reports.text import brief, listed, percent, plural
from xaibench.reports.verdicts.verdict import Verdict, mean_of, measured, with_interval

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


@dataclass(frozen=True)
class Place:
    """Where the evidence of some patients lies, and by whose word."""

    patients: str
    """How many, such as `7 patients`."""
    side: str
    """above, below, or empty where it is not settled."""
    explainers: str = ""

    def verdict(self, before: str, after: str = "", beside: tuple[str, ...] = ()) -> Verdict:
        """Say it, with words around the number of patients."""
        begin = f"{before} {self.patients}{after}"
        if not self.side:
            open_question = "it is not settled whether relevance favours the tumour or what lies outside it"
            return Verdict(f"{begin}, {open_question}.", beside)
        text = f"{begin}, {LIES[self.side]}: for {self.explainers} the interval of enrichment lies {self.side} 1."
        return Verdict(text, beside, warns=self.side == "below")


def location(run: Results) -> list[Verdict]:
    """Say where the evidence lies, over all patients, then for each explained class where that differs.

    The evidence of a class may be missing in the other: a mean over both would hide it.
    """
    names = competitors(run.info)
    overall = _place(run.scores, names, run.board)
    if overall is None:
        return []
    found = {name: _place(scores, names, run.board) for name, scores in run.by_class.items()}
    classes = {name: place for name, place in found.items() if place is not None}
    if len(classes) < 2:
        return [overall.verdict("Over all")]
    if {place.side for place in classes.values()} == {overall.side}:
        beside = tuple(f"likewise where {name} is explained: {p.patients}" for name, p in classes.items())
        return [overall.verdict("Over all", beside=beside)]
    each = [place.verdict("In the", f" for whom {name} is explained") for name, place in classes.items()]
    return [overall.verdict("Over all"), *each]


def _place(scores: Scores, names: Sequence[str], board: Leaderboard) -> Place | None:
    """Judge by the most faithful explainers, and where they disagree by all."""
    found = measured(scores, names, "enrichment")
    if not found:
        return None
    patients = plural(max(s.n_patients for s in found.values()), "patient")
    faithful = [m for m in _by_faithfulness(board) if m in found][:FAITHFUL]
    for group, which in ((faithful, "the most faithful"), (list(found), "all measured")):
        for side in LIES:
            hits = [m for m in group if side_of(found[m]) == side]
            if 2 * len(hits) > len(group):
                counted = f"{len(hits)} of {plural(len(group), 'explainer')} ({which}: {listed(group)})"
                return Place(patients, side, counted)
    return Place(patients, "")


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
