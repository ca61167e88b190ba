"""The study's findings in sentences, beside those of Provenzano et al. 2025 (Tomography 11(3):38)."""

from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

from xaibench.reports.pages.training import RECOGNITION, Training
from xaibench.reports.scoring.results import Results
from xaibench.reports.scoring.signed_rank import SIGNIFICANT
from xaibench.reports.text import brief, one_line, p_text, percent, plural
from xaibench.reports.verdicts.location import location_verdicts
from xaibench.reports.verdicts.model import held_out
from xaibench.reports.verdicts.simulated_images import recognition
from xaibench.reports.verdicts.verdict import FEW, Verdict

PAPER_ACCURACY = 0.93
"""On 28 women, 7 of them with recurrence, by 5-fold cross-validation; its shuffle test: p < 0.01."""


def study_findings(run: Results, training: Training) -> list[Verdict]:
    """Accuracy, shuffle test, simulated images, where the evidence lies, cautions: in the order of the page."""
    return [
        accuracy(training),
        *other_seeds(training),
        shuffle_test(training),
        held_out(run.info),
        *recognition(run),
        *location_verdicts(run),
        *cautions(run, training),
    ]


def accuracy(training: Training) -> Verdict:
    """Held-out accuracy of the patients beside the paper's, and beside always naming the larger class."""
    found, counts = training.patients["accuracy"], training.patients["confusion"]
    right, number = counts["tp"] + counts["tn"], training.patients["n"]
    text = (
        f"{right} of {plural(number, 'patient')} are classified rightly by a model that never saw them: accuracy "
        f"{percent(found['value'])}{_interval(found)}. The paper's {percent(PAPER_ACCURACY)} {_beside_paper(found)}."
    )
    larger = max(counts["tp"] + counts["fn"], counts["tn"] + counts["fp"]) / number
    beside = (
        f"always naming the larger class: {percent(larger)}",
        f"balanced accuracy: {brief(training.patients['balanced_accuracy']['value'])}",
        f"AUC: {brief(training.patients['auc']['value'])}",
    )
    test = "Wilson's 95 % interval of a share of patients"
    return Verdict(text, test, beside, warns=found["value"] <= larger, patients=number)


def _interval(found: Mapping[str, Any]) -> str:
    return f" (95 % interval {percent(found['low'])} to {percent(found['high'])})"


def _beside_paper(found: Mapping[str, Any]) -> str:
    if found["high"] < PAPER_ACCURACY:
        return "lies above this interval"
    return "lies within this interval" if found["low"] <= PAPER_ACCURACY else "lies below this interval"


def shuffle_test(training: Training) -> Verdict:
    """Whether shuffled labels can be predicted as well."""
    test = training.shuffles.get("accuracy")
    if test is None:
        text = "No shuffle test was run, so it is not known what accuracy chance gives"
        return Verdict(f"{text}; the paper reports p < 0.01.", warns=True)
    reached = sum(value >= test["observed"] - 1e-9 for value in test["null"])
    text = (
        f"Shuffle test: with shuffled labels, {reached} of {plural(training.permutations, 'cross-validation')} "
        f"{'is' if reached == 1 else 'are'} as accurate. The paper reports p < 0.01 with 100"
    )
    named = f"permutation test of the whole cross-validation, one-sided: {p_text(test['p'])}"
    patients = training.patients["n"]
    beside = (
        f"accuracy with shuffled labels: mean {brief(test['null_mean'])}, highest {brief(test['null_max'])}",
    )
    if test["p"] < SIGNIFICANT:
        return Verdict(f"{text}.", named, beside, patients=patients)
    after = "It is not shown that the model has learned anything of the classes"
    return Verdict(f"{text}. {after}.", named, beside, warns=True, patients=patients)


def other_seeds(training: Training) -> list[Verdict]:
    """How much accuracy, its shuffle test and the recognition of the simulated images hang on the training's seed."""
    found, tests = training.over_seeds("accuracy"), training.over_seeds("p_accuracy")
    if len(found) < 2:
        return []
    text = f"Over {len(found)} trainings with other seeds, accuracy lies {_between(found, percent)}"
    if tests:
        text += f"; {_below_significant(tests)} beat their shuffled labels"
    named = f"in each training: the permutation test above, p < {SIGNIFICANT}, not corrected for their number"
    patients = training.patients["n"]
    images = [verdict for name in training.classes for verdict in _recognised_over_seeds(training, name)]
    return [Verdict(f"{text}.", named if tests else "", patients=patients), *images]


def _recognised_over_seeds(training: Training, name: str) -> list[Verdict]:
    figure = f"{RECOGNITION} class {name}"
    found, tests = training.over_seeds(figure), training.over_seeds(f"{figure} null_p")
    if not found:
        return []
    text = f"Over them, the image simulated for {name} is given that class with a probability {_between(found, brief)}"
    if not tests:
        return [Verdict(f"{text}.", patients=training.patients["n"])]
    beat = sum(p < SIGNIFICANT for p in tests)
    text += f"; {_below_significant(tests)} do better than images of shuffled labels"
    after = (
        ""
        if beat > len(tests) / 2
        else ". Randomly relabelled patients mostly do as well, so this proves nothing"
    )
    named = (
        f"in each training: permutation test within folds, p < {SIGNIFICANT}, not corrected for their number"
    )
    return [Verdict(f"{text}{after}.", named, warns=bool(after), patients=training.patients["n"])]


def _between(found: list[float], shown: Callable[[float], str]) -> str:
    return f"between {shown(min(found))} and {shown(max(found))}, median {shown(median(found))}"


def _below_significant(tests: list[float]) -> str:
    return f"{sum(p < SIGNIFICANT for p in tests)} of {len(tests)}"


def cautions(run: Results, training: Training) -> list[Verdict]:
    """Small numbers, another cohort than the trained one, and what the makers of the model caution."""
    data, found = training.settings["data"], []
    smaller = min(data["positive"], data["patients"] - data["positive"])
    if smaller < FEW:
        name = training.classes[int(data["positive"] == smaller)]
        text = f"Only {smaller} of {plural(data['patients'], 'patient')} are {name}"
        found.append(Verdict(f"{text}: what is said of them rests on very few.", warns=True))
    if len(run.info.cohort.patients) != data["patients"]:
        explained = plural(len(run.info.cohort.patients), "patient")
        text = f"The models were trained on {data['patients']} patients, and {explained} are explained"
        found.append(Verdict(f"{text}: the explanations are not of the same cohort.", warns=True))
    caution = run.info.model.facts.get("caution")
    return found + ([Verdict(one_line(caution), warns=True)] if caution else [])
