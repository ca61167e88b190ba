"""Were the checks passed? Controls whose scores are known, and controls that no explainer should lose to."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from xaibench.reports.scoring.cell import Outcome, Score
from xaibench.reports.scoring.comparisons import Comparison, compare
from xaibench.reports.scoring.intervals import Estimate, estimate
from xaibench.reports.scoring.results import Results
from xaibench.reports.scoring.scores import GAIN
from xaibench.reports.scoring.signed_rank import SIGNIFICANT
from xaibench.reports.scoring.values import columns_of, patient_values
from xaibench.reports.text import apart, figure, listed, p_text, plural, verb
from xaibench.reports.verdicts.faithful import metric_of
from xaibench.reports.verdicts.verdict import Verdict, shown_score

RANDOM = ("random", "random-smooth")
"""Controls without any knowledge, which must score chance."""
MASK, MASS = "mask", "relevance-mass"


def control_verdicts(run: Results) -> list[Verdict]:
    """The annotation must hold its own mass, random maps must score chance; then who loses to a blind control."""
    return [*mask(run), *(v for name in RANDOM for v in random(run, name)), *blind(run)]


def mask(run: Results) -> list[Verdict]:
    """The annotation must hold all of its own mass: anything else is a fault of masks or metric."""
    score = run.scores.get((MASK, MASS))
    if score is None or score.value is None or MASK not in run.info.controls():
        return []
    if _is_one(score):
        return [
            Verdict("Check passed: the mask scores 1.", particulars=(f"{MASS} of the annotation itself",))
        ]
    text = f"Check failed: the mask scores {apart(score.value, 1.0)[0]} in {MASS}, not 1"
    return [Verdict(f"{text}: a fault of the masks or of the metric.", "", (shown_score(score),), warns=True)]


def _is_one(score: Score) -> bool:
    return score.value is not None and abs(score.value - 1) < 1e-6 and score.status is Outcome.MEASURED


def random(run: Results, name: str) -> list[Verdict]:
    """A map without knowledge must gain nothing over its shifted copies, in any metric that counts."""
    if name not in run.info.controls():
        return []
    gains = {
        metric: gain for metric in run.comparable.metrics if (gain := _gain(run, name, metric)) is not None
    }
    known = {m: gain for m, gain in gains.items() if gain.low is not None and gain.high is not None}
    if not known:
        return []
    off = {m: gain for m, gain in known.items() if not _holds_zero(gain)}
    test = f"95 % intervals of the gain over shifted copies in {plural(len(known), 'metric')}; 1 in 20 misses by chance"
    figures = tuple(
        f"{metric} {figure(gain.value, gain.low, gain.high, against=0.0)}"
        for metric, gain in (off or known).items()
    )
    patients = max(gain.n for gain in known.values())
    if not off:
        return [Verdict(f"Check passed: {name} scores chance.", test, figures, patients=patients)]
    p = float(stats.binomtest(len(off), len(known), 0.05, "greater").pvalue)
    misses = f"{verb(list(off), 'the interval', 'the intervals')} of {listed(list(off))} "
    misses += verb(list(off), "misses chance", "miss chance")
    test = f"{test}; exact binomial test of their number: {p_text(p)}"
    if p >= SIGNIFICANT:
        text = f"Check passed: {name} scores chance; {misses}, but 1 in 20 does"
        return [Verdict(f"{text}.", test, figures, patients=patients)]
    text = f"Check failed: {name} does not score chance: {misses}"
    return [Verdict(f"{text}, so these metrics are not to be trusted here.", test, figures, True, patients)]


def _gain(run: Results, name: str, metric: str) -> Estimate | None:
    if not run.has_detail(metric, GAIN):
        return None
    values = patient_values(run.cells, metric, [name], GAIN)[name].to_numpy(dtype=np.float64)
    values = values[np.isfinite(values)]
    low, high = run.info.metrics[metric].bounds
    return estimate(values, "mean", (low - high, high - low)) if len(values) else None


def _holds_zero(gain: Estimate) -> bool:
    return gain.low is not None and gain.high is not None and gain.low <= 0 <= gain.high


def blind(run: Results) -> list[Verdict]:
    """Name the explainers that do worse than a control which never asks what the model decides."""
    metric = metric_of(run)
    blind_controls = [name for name in run.info.controls() if name != MASK]
    if metric is None or not blind_controls:
        return []
    values = patient_values(run.cells, metric, [*run.explainers(metric), *blind_controls])
    values = values.dropna(axis="columns", how="all")
    explainers = [name for name in run.explainers(metric) if name in values]
    pairs = [(e, c) for e in explainers for c in blind_controls if c in values]
    if not pairs:
        return []
    found = compare(columns_of(values), pairs, run.info.metrics[metric].higher_is_better)
    return _losers(metric, explainers, found, len(values))


def _losers(
    metric: str, explainers: Sequence[str], found: Sequence[Comparison], patients: int
) -> list[Verdict]:
    controls = list(dict.fromkeys(c.second for c in found))
    test = (
        f"paired differences in {metric}: Wilcoxon signed-rank, two-sided, corrected for "
        f"{plural(len(found), 'pair')} of explainer and control (Holm)"
    )
    worse = [c for c in found if c.differs and c.effect.value < 0]
    better = [c for c in found if c.differs and c.effect.value > 0]
    if worse:
        each = listed([f"{c.first} does worse than {c.second}" for c in worse])
        text = f"In {metric}, {each}, which never looks at the model"
        return [Verdict(f"{text}.", test, warns=True, patients=patients)]
    if len(better) == len(found):
        return [
            Verdict(
                f"In {metric}, every explainer does better than {listed(controls)}.", test, patients=patients
            )
        ]
    if not better:
        text = f"In {metric}, no explainer is shown to do better or worse than {listed(controls)}"
        return [Verdict(f"{text}.", test, patients=patients)]
    open_ = [
        f"{name} ({listed([c.second for c in found if c.first == name and c not in better])})"
        for name in explainers
    ]
    open_ = [text for text in open_ if not text.endswith("()")]
    text = f"In {metric}, no explainer does worse than a control; not shown to do better are {listed(open_)}"
    return [Verdict(f"{text}.", test, patients=patients)]
