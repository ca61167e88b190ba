"""Which explainers are faithful? Their maps against the same maps shifted, whose place carries no knowledge."""

from collections import Counter
from collections.abc import Container, Sequence

from xaibench.api import Family, Status
from xaibench.reports.scoring.comparisons import Gain, gains_over_chance
from xaibench.reports.scoring.results import Results
from xaibench.reports.scoring.scores import GAIN
from xaibench.reports.scoring.values import columns_of, patient_values
from xaibench.reports.text import figure, listed, p_text, plural, verb
from xaibench.reports.verdicts.leading import leading
from xaibench.reports.verdicts.verdict import Verdict, with_classes

MAIN = "morf-lerf"
"""Judges by the order of all pixels, and scores 0 for a map without knowledge whatever the baseline."""


def faithful_verdicts(run: Results) -> list[Verdict]:
    """Which explainers beat their shifted copies, over all patients and by class, and which of them leads."""
    metric = metric_of(run)
    found = gains(run, metric) if metric else ()
    if metric is None or not found:
        return [Verdict("Faithfulness was not measured against shifted maps in this run.", warns=True)]
    groups = {
        g.explained: members for g, members in run.groups(metric).items() if g.explained and not g.subset
    }
    by_class = {name: g for name, members in groups.items() if (g := gains(run, metric, members))}
    alike = all(set(_split(own)[0]) == set(_split(found)[0]) for own in by_class.values())
    said = {name: of_class(metric, name, own) for name, own in by_class.items()}
    return [
        *with_classes(faithfulness(metric, found), said, alike),
        *without_evidence(run, metric),
        *leading(run, metric),
    ]


def metric_of(run: Results) -> str | None:
    """Ranked metric of faithfulness whose records hold gains, the order of all pixels before others."""
    known = [
        name
        for name, facts in sorted(run.info.metrics.items())
        if facts.family == Family.FAITHFULNESS and facts.ranked and run.has_detail(name, GAIN)
    ]
    return MAIN if MAIN in known else next(iter(known), None)


def gains(run: Results, metric: str, members: Container[str] | None = None) -> tuple[Gain, ...]:
    """Gains of the explainers over their shifted copies, the largest first, corrected for the explainers."""
    values = patient_values(run.cells, metric, run.explainers(metric), GAIN, members)
    low, high = run.info.metrics[metric].bounds
    columns = columns_of(values.dropna(axis="columns", how="all"))
    found = gains_over_chance(columns, "mean", (low - high, high - low))
    return tuple(sorted(found, key=lambda gain: (-gain.gain.value, gain.method)))


def faithfulness(metric: str, found: Sequence[Gain]) -> Verdict:
    """Name the faithful explainers, and those that are not shown to be."""
    shown, others = _split(found)
    if shown:
        text = (
            f"{listed(shown)} {verb(shown, 'is', 'are')} faithful: the model's answer hangs on the order of "
            f"{verb(shown, 'its', 'their')} pixels more than on that of the same map shifted"
        )
        rest = f"; this is not shown for {listed(others)}" if others else ""
        return _verdict(metric, f"{text}{rest}.", found)
    reasons = {gain.reason for gain in found if gain.reason}
    why = f": {reasons.pop()}" if len(reasons) == 1 else ""
    return _verdict(metric, f"No explainer is shown to be faithful{why}.", found, warns=True)


def of_class(metric: str, name: str, found: Sequence[Gain]) -> Verdict:
    """Where one class is explained: what one class shows, all patients together may hide."""
    shown, others = _split(found)
    parts = [
        f"faithful: {listed(shown)}" if shown else "",
        f"not shown for {listed(others)}" if others else "",
    ]
    return _verdict(metric, f"Where {name} is explained, {'; '.join(filter(None, parts))}.", found)


def _split(found: Sequence[Gain]) -> tuple[list[str], list[str]]:
    return [g.method for g in found if g.above_chance], [g.method for g in found if not g.above_chance]


def _verdict(metric: str, text: str, found: Sequence[Gain], warns: bool = False) -> Verdict:
    test = (
        f"gain in {metric} over the same map shifted, above 0: Wilcoxon signed-rank over patients, one-sided, "
        f"corrected for {plural(len(found), 'explainer')} (Holm)"
    )
    return Verdict(text, test, tuple(map(gain_text, found)), warns, max(gain.gain.n for gain in found))


def gain_text(found: Gain) -> str:
    """Write a gain with its interval and p, such as `lime 0.2 [0.1, 0.3], p = 0.01`."""
    gain = found.gain
    return (
        f"{found.method} {figure(gain.value, gain.low, gain.high, against=0.0)}, {p_text(found.corrected_p)}"
    )


def without_evidence(run: Results, metric: str) -> list[Verdict]:
    """Say how many patients have no value, most often because there is no evidence that could be removed."""
    values = patient_values(run.cells, metric, run.explainers(metric))
    judged, everyone = len(values.dropna(how="all")), len(run.info.cohort.patients)
    if judged == everyone:
        return []
    text = f"Faithfulness rests on {judged} of {plural(everyone, 'patient')}; the others have no value of {metric}"
    reasons = Counter(
        record.reason.partition(":")[0]
        for record in run.records
        if record.metric == metric and record.status is not Status.OK
    )
    counted = tuple(
        f"{reason}: {plural(count, 'case')}, all methods together" for reason, count in reasons.most_common()
    )
    return [Verdict(f"{text}.", "", counted, patients=judged)]
