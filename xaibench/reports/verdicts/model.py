"""Is the model good enough to be explained? Accuracy against always naming the larger class, and held-out status."""

from xaibench.api import HeldOut
from xaibench.harness.store.run_info import RunInfo
from xaibench.reports.scoring.performance import Performance, Share
from xaibench.reports.scoring.signed_rank import SIGNIFICANT
from xaibench.reports.text import listed, p_text, percent, plural
from xaibench.reports.verdicts.findings import findings
from xaibench.reports.verdicts.verdict import Verdict


def model_verdicts(info: RunInfo, performance: Performance | None) -> list[Verdict]:
    """Accuracy first: explanations of a model that guesses explain guesses."""
    return [_first(info, performance), *outputs(info), held_out(info)]


def _first(info: RunInfo, performance: Performance | None) -> Verdict:
    if performance:
        return accuracy(performance)
    if not info.model.exclusive and any(case.labels for case in info.cohort.cases):
        return findings(info)
    text = "No patient has exactly one label, so the model's accuracy cannot be stated."
    return Verdict(text, warns=True)


def accuracy(found: Performance) -> Verdict:
    """Whether the model does better than always naming the largest class."""
    right, larger = found.accuracy, found.majority
    text = f"The model is right in {_of(right)} ({_percent(right)})"
    by_class = tuple(
        f"{name}: right in {_of(share)} ({_percent(share)})" for name, share in found.by_class().items()
    )
    if right.hits == 0:
        text = f"The model is wrong in all {plural(right.of, 'patient')}"
    if larger.hits == larger.of:
        after = f"every patient is {found.true[0]}, so it is not known whether the model tells classes apart"
        return Verdict(f"{text}; {after}.", "", by_class, warns=True, patients=right.of)
    test = f"exact binomial test against {percent(larger.value)}, one-sided: {p_text(found.p_above_majority)}"
    always = f"always naming the largest class would be right in {larger.hits} ({percent(larger.value)})"
    if found.p_above_majority < SIGNIFICANT:
        poor = [name for name, share in found.by_class().items() if 2 * share.hits <= share.of]
        weak = f", but in at most half of the {listed(poor)} patients" if poor else ""
        return Verdict(f"{text}{weak}; {always}.", test, by_class, warns=bool(poor), patients=right.of)
    after = "so what explains its decisions may explain guesses. Read everything below with that in mind"
    return Verdict(
        f"{text}, which is not shown to be better than guessing: {always}; {after}.",
        test,
        by_class,
        warns=True,
        patients=right.of,
    )


def _of(share: Share) -> str:
    return f"{share.hits} of {plural(share.of, 'patient')}"


def _percent(share: Share) -> str:
    interval = share.interval
    if interval is None:
        return percent(share.value)
    return f"{percent(share.value)}, 95 % interval {percent(interval[0])} to {percent(interval[1])}"


def outputs(info: RunInfo) -> list[Verdict]:
    """Say what was assumed where the outputs of the model are not the labels of the cohort."""
    model, cohort = info.model.class_names, info.cohort.class_names
    if len(model) > len(cohort):
        used = ", ".join(f"{number} = {name}" for number, name in enumerate(cohort))
        text = f"The model has {len(model)} outputs and the cohort {plural(len(cohort), 'label')}; assumed was {used}"
        return [
            Verdict(
                f"{text}. If the outputs stand in another order, every figure below is wrong.", warns=True
            )
        ]
    if len(model) < len(cohort):
        text = f"The model has {plural(len(model), 'output')} and the cohort {len(cohort)} labels: it cannot name"
        return [Verdict(f"{text} {listed(cohort[len(model) :])}.", warns=True)]
    if set(model) == set(cohort) and model != cohort:
        text = "The outputs of the model and the labels of the cohort have the same names in another order"
        return [Verdict(f"{text}: {', '.join(model)} against {', '.join(cohort)}.", warns=True)]
    return []


def held_out(info: RunInfo) -> Verdict:
    """Whether the explained patients were kept from the model."""
    match info.model.held_out:
        case HeldOut.YES:
            return Verdict("Every patient is explained by a model that never saw them in training.")
        case HeldOut.NO:
            text = "Patients are explained by a model that saw them in training"
            return Verdict(
                f"{text}: neither its accuracy nor its explanations hold for new patients.", warns=True
            )
    text = "It is not known whether the model saw these patients in training"
    return Verdict(
        f"{text}; if it did, neither its accuracy nor its explanations hold for new patients.", warns=True
    )
