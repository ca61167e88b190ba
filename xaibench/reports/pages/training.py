"""What a cross-validated model says of its validation: facts and tables for its pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from xaibench.harness.store.run_info import RunInfo
from xaibench.reports.pages.appendix import Table
from xaibench.reports.scoring.groups import class_name
from xaibench.reports.text import brief, plural, span

STUDY = "study.html"
RECOGNITION = "class-consistency"
"""Metric that tells whether the models see a class in the image simulated to show it."""
MEASURES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "precision": "precision",
    "recall": "recall (sensitivity)",
    "f1": "F1",
    "auc": "AUC-ROC",
}
TESTED = ("accuracy", "balanced_accuracy", "auc")
"""Measures that the shuffle test compares."""


@dataclass(frozen=True)
class Training:
    """How the fold models were trained, and how good they are on the patients each never saw."""

    classes: tuple[str, str]
    """Names of label 0 and of label 1, the finding."""
    settings: Mapping[str, Any]
    metrics: Mapping[str, Any]
    curves: Sequence[Mapping[str, Sequence[float]]]
    seeds: Sequence[Mapping[str, Any]] = ()
    """Trainings with other seeds (`trainings` of seeds.json); empty where there was only this one."""

    @property
    def patients(self) -> Mapping[str, Any]:
        """Pooled figures of the patients."""
        found: Mapping[str, Any] = self.metrics["pooled"]["patient"]
        return found

    @property
    def shuffles(self) -> Mapping[str, Any]:
        """Shuffle test by measure; empty where it was not run."""
        test: Mapping[str, Any] = self.metrics["shuffle_test"]
        return {name: test[name] for name in TESTED if name in test}

    @property
    def permutations(self) -> int:
        """Number of times that the labels were shuffled."""
        return int(self.metrics["shuffle_test"]["permutations"])

    def over_seeds(self, figure: str) -> list[float]:
        """Values of a figure, one a training; empty where a training lacks it."""
        values = [training["figures"].get(figure) for training in self.seeds]
        return [float(value) for value in values if value is not None] if None not in values else []


def training_of(info: RunInfo) -> Training | None:
    """Training of the run's model; None for a model that was not cross-validated."""
    found = info.model.record.get("training")
    return None if found is None else Training((class_name(info, 0), class_name(info, 1)), **found)


def facts(training: Training) -> dict[str, str]:
    """What was trained on what, for the head of the page."""
    data, plan = training.settings["data"], training.settings["plan"]
    positive = data["positive"]
    return {
        "patients": f"{data['patients']} ({data['patients'] - positive} {training.classes[0]}, "
        f"{positive} {training.classes[1]})",
        "slices": str(data["slices"]),
        "backbone": f"{plan['backbone']}, weights {plan['weights']}",
        "trained": f"head and last {plural(plan['fine_tune'], 'block')}"
        if plan["fine_tune"]
        else "head only",
        "folds": str(plan["folds"]),
        "shuffles of the labels": str(training.permutations),
    }


def shown(figure: Mapping[str, Any]) -> str:
    """Write a measure with its interval, `-` where it is undefined."""
    return f"{brief(figure['value'])} {span(figure['low'], figure['high'])}".rstrip()


def accuracy_table(training: Training) -> Table:
    """Pooled measures of patients and of slices."""
    patient, by_slice = training.metrics["pooled"]["patient"], training.metrics["pooled"]["slice"]
    caption = (
        "Each patient by the fold model that never saw them, with 95 % intervals: Wilson's for shares of patients "
        "(accuracy, precision, recall), otherwise a bootstrap over patients, which has none for a perfect result"
    )
    rows = [[title, shown(patient[name]), shown(by_slice[name])] for name, title in MEASURES.items()]
    rows += [
        ["Brier score (0 = best)", *(brief(part["calibration"]["brier"]) for part in (patient, by_slice))]
    ]
    return Table(caption, ["measure", f"{patient['n']} patients", f"{by_slice['n']} slices"], rows)


def fold_table(training: Training) -> Table:
    """Measures of the patients of each fold."""
    caption = "By fold, patient level, and accuracy of the slices; - where a fold leaves a measure undefined"
    header = ["fold", "patients", training.classes[1], *MEASURES.values(), "accuracy of slices"]
    rows = [
        [
            *(f"fold {number}", str(fold["patient"]["n"]), str(_positives(fold["patient"]))),
            *(brief(fold["patient"][name]["value"]) for name in MEASURES),
            brief(fold["slice"]["accuracy"]["value"]),
        ]
        for number, fold in enumerate(training.metrics["folds"])
    ]
    return Table(caption, header, rows)


def _positives(part: Mapping[str, Any]) -> int:
    return int(part["confusion"]["tp"] + part["confusion"]["fn"])


def confusion_tables(training: Training) -> list[Table]:
    """Truth against what the model says, for patients and for slices."""
    negative, positive = training.classes
    tables = []
    for unit in ("patient", "slice"):
        counts = training.metrics["pooled"][unit]["confusion"]
        rows = [
            [f"is {negative}", str(counts["tn"]), str(counts["fp"])],
            [f"is {positive}", str(counts["fn"]), str(counts["tp"])],
        ]
        header = ["", f"called {negative}", f"called {positive}"]
        tables.append(
            Table(f"Confusion of {unit}s (called {positive} above a probability of 0.5)", header, rows)
        )
    return tables


def shuffle_table(training: Training) -> Table:
    """The shuffle test in figures."""
    caption = (
        "p = (1 + shuffles at least as good) / (1 + shuffles); every shuffle repeats the whole cross-validation. "
        "The smallest p that can come out is 1 / (1 + shuffles)"
    )
    rows = [
        [MEASURES[name], *(brief(test[key]) for key in ("observed", "p", "null_mean", "null_sd", "null_max"))]
        for name, test in training.shuffles.items()
    ]
    header = ["patient level", "observed", "p", "shuffled: mean", "standard deviation", "highest"]
    return Table(caption, header, rows)


def seeds_table(training: Training) -> Table | None:
    """Figures over trainings with other seeds, which shuffle the folds and the start of the heads; None without any."""
    tested = {f"p_{name}": f"shuffle test by {MEASURES[name]}: p" for name in TESTED}
    shown = {**MEASURES, **tested, **_recognition_names(training)}
    values = {words: found for name, words in shown.items() if (found := training.over_seeds(name))}
    if not values:
        return None
    rows = [[words, *map(brief, (median(v), min(v), max(v)))] for words, v in values.items()]
    caption = f"Over {plural(len(training.seeds), 'training')} with other seeds, patient level"
    return Table(caption, ["figure", "median", "lowest", "highest"], rows)


def _recognition_names(training: Training) -> dict[str, str]:
    """Names of what the judge of the study records of each class, in words."""
    found = {}
    for name in training.classes:
        figure = f"{RECOGNITION} class {name}"
        found[figure] = f"probability of {name} for its simulated image"
        found[f"{figure} null_mean"] = f"the same, simulated with shuffled labels ({name})"
        found[f"{figure} null_p"] = f"the two compared: p ({name})"
    return found
