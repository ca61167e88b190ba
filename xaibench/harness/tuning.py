"""Chooses a method's parameters by a metric, on patients that the model was trained on and nobody of the cohort."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, fields, replace
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean, median
from time import perf_counter
from typing import Any, ClassVar

from xaibench.api import LoadedModel, NotApplicable, Passes, Progress, Status, Volume, XaibenchError
from xaibench.harness.cells import Result, missing_cells
from xaibench.harness.concepts import concepts_key
from xaibench.harness.configured import Configured, configure
from xaibench.harness.describe import Sources, describe_method
from xaibench.harness.fitting import fit_methods
from xaibench.harness.prepare import Prepared, open_all, prepare
from xaibench.harness.scopes import Context
from xaibench.harness.spec import RunSpec
from xaibench.harness.store.folder import RunFolder
from xaibench.harness.tuned import Tried, Tuned
from xaibench.harness.worker import Worker

PATIENTS = 8
"""Training patients that parameters are chosen on, unless their number is given."""
WIDTH = 4
"""A number is searched between the default over this and the default times this."""

Space = Mapping[str, tuple[float, float]]
"""Lowest and highest value of each parameter."""


@dataclass(frozen=True)
class TrainingPatients:
    """Patients that a model was trained on, as a cohort."""

    model: LoadedModel
    class_names: tuple[str, ...]

    summary: ClassVar[str] = "training patients"

    def volumes(self) -> Iterator[Volume]:
        """Yield the training volumes of the first classifier. Raises XaibenchError where they are not known."""
        try:
            yield from self.model.training_volumes(0)
        except NotApplicable as reason:
            raise XaibenchError(f"Nothing can be tuned with {self.model.name}: {reason}.") from reason

    def notes(self) -> list[str]:
        """Nothing needs to be said."""
        return []


def tune(
    spec: RunSpec,
    trials: int,
    progress: Progress,
    space: Space | None = None,
    sources: Sources | None = None,
) -> Tuned:
    """Search the parameters of the spec's only method for the best value of its only metric, the defaults first.

    A tree-structured Parzen estimator proposes them (Bergstra et al. 2011, as Optuna does it), seeded by the spec.
    Raises XaibenchError for a method without numbers to choose, and for a model whose training patients are not known.
    """
    if find_spec("optuna") is None:
        raise XaibenchError("Tuning needs the package optuna; install xaibench[tune].")
    import optuna

    started = perf_counter()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    prepared = on_training_patients(spec, progress, sources or open_all(spec, progress))
    method, metric = the_only(prepared.methods, "method"), the_only(prepared.metrics, "metric")
    searched = space_of(method, space or {})
    higher = metric.plugin.facts.higher_is_better
    study = optuna.create_study(
        direction="maximize" if higher else "minimize", sampler=optuna.samplers.TPESampler(seed=spec.seed)
    )
    tried = [attempt_with(prepared, spec, {name: getattr(method.made, name) for name in searched})]
    for _ in progress.track(range(1, trials), "trials"):
        trial = study.ask()
        tried.append(attempt_with(prepared, spec, suggested(trial, method, searched)))
        value = tried[-1].value
        study.tell(trial, value, None if value is not None else optuna.trial.TrialState.FAIL)
    patients = len({case.patient for case in prepared.cases.values()})
    return Tuned(method.name, metric.name, tried, higher, patients, perf_counter() - started)


def on_training_patients(spec: RunSpec, progress: Progress, sources: Sources) -> Prepared:
    """Put a run together whose cohort are the model's training patients."""
    cohort = TrainingPatients(sources.model, tuple(sources.dataset.class_names))
    few = spec.model_copy(update={"patients": spec.patients or PATIENTS})
    return prepare(few, progress, replace(sources, dataset=cohort, dataset_name="training patients"))


def the_only(named: Mapping[str, Configured], kind: str) -> Configured:
    """Return the only method or metric of a run. Raises XaibenchError where there are several."""
    if len(named) != 1:
        raise XaibenchError(
            f"One {kind} is tuned by one metric at a time; {', '.join(named)} are {len(named)}."
        )
    return next(iter(named.values()))


def space_of(method: Configured, given: Space) -> Space:
    """Range of each parameter: as given, or else of every number around its default.

    Raises XaibenchError for a parameter that the method does not have, or that is no number, and for a method without.
    """
    numbers = {f.name: getattr(method.made, f.name) for f in fields(method.made) if f.name != "seed"}
    numbers = {name: value for name, value in numbers.items() if type(value) in (int, float) and value > 0}
    for name in given:
        if name not in numbers:
            raise XaibenchError(
                f"{method.name} has no parameter {name!r} that is a positive number; it has: "
                f"{', '.join(numbers) or 'none'}."
            )
    if not numbers:
        raise XaibenchError(
            f"{method.name} has no parameter that is a positive number; there is nothing to tune."
        )
    around = {
        name: (max(value / WIDTH, isinstance(value, int)), value * WIDTH) for name, value in numbers.items()
    }
    return dict(given) or around


def suggested(trial: Any, method: Configured, space: Space) -> dict[str, Any]:
    """Parameters that the search proposes, on a logarithmic scale."""
    found: dict[str, Any] = {}
    for name, (low, high) in space.items():
        whole = isinstance(getattr(method.made, name), int)
        suggest = trial.suggest_int if whole else trial.suggest_float
        found[name] = suggest(name, int(low) if whole else low, int(high) if whole else high, log=True)
    return found


def attempt_with(prepared: Prepared, spec: RunSpec, parameters: Mapping[str, Any]) -> Tried:
    """Explain and score the patients with a choice of parameters."""
    method, metric = the_only(prepared.methods, "method"), the_only(prepared.metrics, "metric")
    own = {**spec.parameters.get(method.name, {}), **parameters}
    try:
        changed = configure(
            method.plugin, spec.model_copy(update={"parameters": {**spec.parameters, method.name: own}})
        )
    except XaibenchError as refusal:
        return Tried(parameters, None, Passes(), str(refusal))
    results = computed(with_method(prepared, changed))
    passes = [result.passes for result in results]
    spent = Passes(sum(one.forward for one in passes), sum(one.backward for one in passes))
    records = [record for result in results for record in result.records]
    missing = [record.reason for record in records if record.status is Status.FAILED]
    values: dict[str, list[float]] = {}
    for record in records:
        if record.value is not None:
            values.setdefault(record.patient, []).append(record.value)
    if missing or not values:
        return Tried(parameters, None, spent, (missing or [record.reason for record in records])[0])
    middle = median if metric.plugin.facts.aggregate == "median" else fmean
    return Tried(parameters, middle([fmean(own) for own in values.values()]), spent)


def with_method(prepared: Prepared, method: Configured) -> Prepared:
    """Exchange the only method of a run."""
    described = describe_method(method, concepts_key(prepared.concepts))
    info = prepared.info.model_copy(update={"methods": {method.name: described}})
    return replace(prepared, info=info, methods={method.name: method})


def computed(prepared: Prepared) -> list[Result]:
    """Compute every cell of a run; nothing is kept."""
    with tempfile.TemporaryDirectory() as place, closing(RunFolder(Path(place))) as folder:
        fits = fit_methods(prepared, folder, prepared.methods)
        worker = Worker(Context(prepared, fits, lambda method, case: None, lambda method: None))
        return [worker(cell) for cell in missing_cells(prepared.info, ())]
