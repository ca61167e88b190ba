"""Verdicts on the controls: maps that never ask what the model decides, or that know the answer."""

from xaibench.reports.scoring.leaderboard import CONTROL, competitors, controls
from xaibench.reports.scoring.results import Results
from xaibench.reports.scoring.scores import Info, Score
from xaibench.reports.text import listed, plural
from xaibench.reports.verdicts.verdict import FEW, Verdict, mean_of, measured, with_interval


def mask_control(run: Results) -> list[Verdict]:
    """The annotation must hold all of its own mass: anything else is a fault of masks or metric."""
    found = measured(run.scores, list(run.info["methods"]), "relevance-mass")
    mask = found.pop("mask", None)
    if mask is None or run.info["methods"]["mask"]["family"] != CONTROL:
        return []
    ahead = [m for m, s in found.items() if mean_of(s) > mean_of(mask)]
    level = [m for m, s in found.items() if mean_of(s) == mean_of(mask)]
    if ahead:
        text = f"mask is not first in relevance-mass ({with_interval(mask)}), but behind {listed(ahead)}"
        return [Verdict(f"{text}: a fault of the masks or of the metric.", warns=True)]
    shared = f", together with {listed(level)}" if level else ""
    return [
        Verdict(f"mask, the annotation itself, is first in relevance-mass ({with_interval(mask)}){shared}.")
    ]


def random_control(run: Results) -> list[Verdict]:
    """A random map must have enrichment 1."""
    score = measured(run.scores, controls(run.info), "enrichment").get("random")
    if score is None:
        return []
    if score.low is None or score.high is None:
        return [Verdict(f"random has enrichment {with_interval(score)}; one patient gives no interval.")]
    if score.low <= 1 <= score.high:
        return [Verdict(f"random has enrichment 1 within its interval: {with_interval(score)}.")]
    few = score.n_patients < FEW
    why = (
        "intervals over so few patients are too narrow" if few else "1 in 20 such intervals misses by chance"
    )
    text = f"random does not have enrichment 1 within its interval: {with_interval(score)}; {why}."
    return [Verdict(text, warns=True)]


def beaten_explainers(run: Results) -> list[Verdict]:
    """How many explainers do worse than maps that never asked what the model decides."""
    return [*_beaten(run, "deletion-auc"), *_beaten(run, "enrichment")]


def _beaten(run: Results, metric: str) -> list[Verdict]:
    rivals = measured(run.scores, competitors(run.info), metric)
    found = measured(run.scores, controls(run.info), metric)
    if not rivals or not found:
        return []
    beaten = {
        name: sum(_is_better(run.info, score, s) for s in rivals.values()) for name, score in found.items()
    }
    ordered = sorted(((-count, name) for name, count in beaten.items() if count))
    if not ordered:
        return [Verdict(f"In {metric}, no explainer does worse than a control.")]
    counts = listed([f"{-less} than {name}" for less, name in ordered]).partition(" than ")
    worse = f"of {plural(len(rivals), 'explainer')} {'does' if counts[0] == '1' else 'do'} worse than"
    text = f"In {metric}, {counts[0]} {worse} {counts[2]}; no control asks what the model decides."
    # The annotation may well beat every explainer; the other controls should not.
    warns = any(2 * count >= len(rivals) for name, count in beaten.items() if name != "mask")
    return [Verdict(text, warns=warns)]


def _is_better(info: Info, one: Score, other: Score) -> bool:
    sign = 1 if info["metrics"][one.metric]["higher_is_better"] else -1
    return sign * mean_of(one) > sign * mean_of(other)
