"""Runs of cases in memory: a classifier that is a function, plugins without entry points."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from xaibench.api import Case, Classifier, Folds, HeldOut, LoadedModel, Match, Volume
from xaibench.classifiers.callable import PythonCallable
from xaibench.harness.cohort import Cohort
from xaibench.harness.configured import Configured
from xaibench.harness.declared import Kind, declared
from xaibench.harness.describe import Setting, Sources, describe
from xaibench.harness.prepare import Prepared
from xaibench.harness.registry import Plugin
from xaibench.harness.spec import RunSpec

SHAPE = (8, 8, 1)
CLASSES = ("no", "yes")


def likes_bright(steepness: float = 4.0, shape: tuple[int, ...] = SHAPE, classes: int = 2) -> PythonCallable:
    """Softmax of `steepness * number * (mean brightness - 0.5)` over the class numbers."""

    def scores(images: np.ndarray) -> np.ndarray:
        means = images.reshape(len(images), -1).mean(axis=1)[:, None]
        powers = np.exp(steepness * np.arange(classes) * (means - 0.5))
        return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)

    return PythonCallable(scores, shape)


def made_cases(
    count: int = 3, first: int = 0, regions: bool = True, labels: Sequence[int] = ()
) -> list[Case]:
    """Patients P0, P1, ... of noise, each brighter than the one before; the labels alternate."""
    return [one_case(number, regions, *labels[number : number + 1]) for number in range(first, first + count)]


def one_case(number: int, with_region: bool = True, label: int | None = None) -> Case:
    noise = np.random.default_rng(number).random(SHAPE, dtype=np.float32)
    region = np.zeros(SHAPE[:2], bool)
    region[2:5, 1 : 4 + number % 3] = True
    return Case(
        id=f"P{number}-s00",
        patient=f"P{number}",
        image=(noise * 0.5 + number % 5 * 0.1).astype(np.float32),
        labels=(number % 2 if label is None else label,),
        region=region if with_region else None,
        spacing_mm=(1.0, 1.0),
    )


@dataclass(frozen=True, eq=False)
class Patients:
    """A dataset of given cases: a volume of one slice each."""

    cases: tuple[Case, ...]
    class_names: tuple[str, ...] = CLASSES
    summary: ClassVar[str] = "in memory"

    def volumes(self) -> Iterator[Volume]:
        for case in self.cases:
            regions = None if case.region is None else case.region[None]
            yield Volume(case.patient, case.labels, case.image[None], regions, (1.0, 1.0))

    def notes(self) -> list[str]:
        return ["Made by the test."]


def configured(kind: Kind, name: str, made: Any, code: str = "as it is") -> Configured:
    """A plugin as the registry and the spec would have made it."""
    facts = declared(kind, type(made))
    return Configured(Plugin(kind, name, type(made), facts, "test 1.0", code), made)


def prepared_run(
    methods: Mapping[str, Any],
    metrics: Mapping[str, Any],
    cases: Sequence[Case] | None = None,
    classifiers: Sequence[Classifier] | None = None,
    class_names: tuple[str, ...] = CLASSES,
    targets: Mapping[str, int] | None = None,
    model: LoadedModel | None = None,
    **settings: Any,
) -> Prepared:
    """A prepared run of cases in memory; patient i is explained by classifier i modulo their number."""
    cases = made_cases() if cases is None else list(cases)
    model = model or LoadedModel("test", tuple(classifiers or [likes_bright()]))
    spec = RunSpec(**{"cell_timeout": 30.0, **settings})
    matches = {case.patient: Match(i % len(model.classifiers)) for i, case in enumerate(cases)}
    setting = setting_of(cases, model, matches, targets)
    cohort = Cohort(list(cases), matches, class_names, [])
    chosen = {
        "methods": [configured("methods", name, made) for name, made in methods.items()],
        "metrics": [configured("metrics", name, made) for name, made in metrics.items()],
    }
    sources = Sources(Patients(tuple(cases), class_names), "in memory", model)
    return Prepared(
        info=describe(spec, sources, cohort, setting, **chosen, concepts=""),
        cases={case.id: case for case in cases},
        targets=setting.targets,
        folds=setting.folds,
        methods={method.name: method for method in chosen["methods"]},
        metrics={metric.name: metric for metric in chosen["metrics"]},
        model=model,
        concepts={},
    )


def setting_of(
    cases: Iterable[Case],
    model: LoadedModel,
    matches: Mapping[str, Match],
    targets: Mapping[str, int] | None,
) -> Setting:
    """Every case explained for class 0, or as told."""
    folds = Folds(model.classifiers, {patient: match.classifier for patient, match in matches.items()})
    scores = {case.id: folds.classifiers[folds.of[case.patient]].scores(case.image) for case in cases}
    return Setting(folds, scores, targets or dict.fromkeys(scores, 0), HeldOut.UNKNOWN)
