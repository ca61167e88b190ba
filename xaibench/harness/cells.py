"""What is to be computed, as data: units (a case, several cases, a class), and cells (a method on a unit)."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from xaibench.api import CohortExplanation, Explanation, Passes, Record
from xaibench.harness import keys
from xaibench.harness.store.run_info import COHORT, CaseInfo, MetricInfo, RunInfo, Scope


@dataclass(frozen=True)
class Unit:
    """What a metric scores."""

    scope: Scope
    id: str
    """Value of Record.case."""
    patient: str
    key: str
    cases: tuple[str, ...]
    label: int | None = None
    """Class of a unit of scope `class`."""
    fold: int | None = None


@dataclass(frozen=True)
class Cell:
    """One method on one unit, and the metrics that are still to be computed there; it can be sent anywhere."""

    method: str
    unit: Unit
    metrics: tuple[str, ...]


NOTHING = Passes()


@dataclass(frozen=True, eq=False)
class Result:
    """What a cell gave: a record for each metric, and the explanations that were made for it."""

    cell: Cell
    records: list[Record]
    explanation: Explanation | None = None
    """New explanation of a case."""
    classes: Mapping[int, CohortExplanation] = field(default_factory=dict)
    """New explanations of classes."""
    passes: Passes = NOTHING


@dataclass(frozen=True)
class Wanted:
    """One record that a run wants."""

    method: str
    metric: str
    unit: Unit
    key: str


def units(info: RunInfo) -> list[Unit]:
    """All units of a run: each case, the cases that are timed together, each class."""
    cases = info.cohort.cases
    timed = _first_cases(info, max((m.at_most_patients or 0 for m in info.metrics.values()), default=0))
    labels = sorted({case.labels[0] for case in cases if len(case.labels) == 1})
    known = [
        case
        for case in _once_an_image(cases)
        if len(case.labels) == 1 and case.labels[0] < len(info.model.class_names)
    ]
    ids = tuple(case.id for case in known)
    all_keys = [case.key for case in known]
    return [
        *(Unit(Scope.CASE, case.id, case.patient, case.key, (case.id,), fold=case.fold) for case in cases),
        Unit(Scope.BATCH, COHORT, COHORT, keys.unit_key([c.key for c in timed]), tuple(c.id for c in timed)),
        *(
            Unit(
                Scope.CLASS,
                f"class {class_name(info, label)}",
                COHORT,
                keys.unit_key(all_keys, label),
                ids,
                label,
            )
            for label in labels
        ),
    ]


def _once_an_image(cases: Sequence[CaseInfo]) -> list[CaseInfo]:
    """Cases in their order, each image once: explained for its label if it is at all, else for the first class."""
    best: dict[str, CaseInfo] = {}
    for case in cases:
        if case.image not in best or case.labels == (case.target,):
            best[case.image] = case
    return list(best.values())


def class_name(info: RunInfo, label: int) -> str:
    """Name of a label."""
    names = info.cohort.class_names
    return names[label] if label < len(names) else f"class {label}"


def wanted(info: RunInfo) -> Iterator[Wanted]:
    """Every record of a run, method by method, unit by unit."""
    chosen = {metric: _patients(info, facts) for metric, facts in info.metrics.items()}
    scored = {
        unit: [
            m for m, facts in info.metrics.items() if facts.scope is unit.scope and unit.patient in chosen[m]
        ]
        for unit in units(info)
    }
    for method, facts in info.methods.items():
        for unit, metrics in scored.items():
            for metric in metrics:
                key = keys.record_key(facts.key, info.metrics[metric].key, unit.key)
                yield Wanted(method, metric, unit, key)


def missing_cells(info: RunInfo, finished: Container[str]) -> list[Cell]:
    """Cells with the metrics whose records are not there yet."""
    found: dict[tuple[str, Unit], list[str]] = {}
    for record in wanted(info):
        if record.key not in finished:
            found.setdefault((record.method, record.unit), []).append(record.metric)
    return [Cell(method, unit, tuple(metrics)) for (method, unit), metrics in found.items()]


def spread(cases: Sequence[CaseInfo], at_most: int | None) -> list[str]:
    """Pseudonyms of at most so many patients, the classes in turn, within a class in the order of the pseudonyms.

    More patients at the end of a cohort change nothing of the choice among the others.
    """
    by_class: dict[tuple[int, ...], list[str]] = {}
    for patient, labels in sorted({case.patient: case.labels for case in cases}.items()):
        by_class.setdefault(labels, []).append(patient)
    turns = sorted(
        (turn, labels, patient)
        for labels, patients in by_class.items()
        for turn, patient in enumerate(patients)
    )
    return [patient for _, _, patient in turns][:at_most]


def _patients(info: RunInfo, metric: MetricInfo) -> set[str]:
    """Patients that a metric is computed for; figures of several patients are always wanted."""
    return {*spread(info.cohort.cases, metric.at_most_patients), COHORT}


def _first_cases(info: RunInfo, patients: int) -> list[CaseInfo]:
    """First case of each of so many patients."""
    first: dict[str, CaseInfo] = {}
    for case in info.cohort.cases:
        first.setdefault(case.patient, case)
    return [first[patient] for patient in sorted(spread(info.cohort.cases, patients))]
