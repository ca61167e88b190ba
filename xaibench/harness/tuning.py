"""Chooses a method's parameters by a metric, on patients that the model was trained on and nobody of the cohort."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, fields, replace
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean, median
from time import perf_counter
from typing import Any, ClassVar

from xaibench.api import LoadedModel, NotApplicable, Passes, Progress, Record, Status, Volume, XaibenchError
from xaibench.harness.cells import Result, missing_cells
from xaibench.harness.concepts import concepts_key
from xaibench.harness.configured import Configured, configure
from xaibench.harness.describe import Sources, describe_method
from xaibench.harness.fitting import Backgrounds, fit_methods, read_once
from xaibench.harness.prepare import Prepared, check_names, open_all, prepare
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
    Raises XaibenchError for a method without numbers to choose, a model whose training patients are not known, and one
    that was trained on patients of the cohort.
    """
    if find_spec("optuna") is None:
        raise XaibenchError("Tuning needs the package optuna; install xaibench[tune].")
    import optuna

    check_names(spec)
    started = perf_counter()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    search = search_of(spec, progress, sources or open_all(spec, progress))
    searched = space_of(search.method, space or {})
    higher = search.metric.plugin.facts.higher_is_better
    study = optuna.create_study(
        direction="maximize" if higher else "minimize", sampler=optuna.samplers.TPESampler(seed=spec.seed)
    )
    tried = [search.attempt({name: getattr(search.method.made, name) for name in searched})]
    for _ in progress.track(range(1, trials), "trials"):
        trial = study.ask()
        tried.append(search.attempt(suggested(trial, search.method, searched)))
        value = tried[-1].value
        study.tell(trial, value, None if value is not None else optuna.trial.TrialState.FAIL)
    patients = len({case.patient for case in search.prepared.cases.values()})
    return Tuned(search.method.name, search.metric.name, tried, higher, patients, perf_counter() - started)


def search_of(spec: RunSpec, progress: Progress, sources: Sources) -> "Search":
    """Put a run together whose cohort are the model's training patients. Raises XaibenchError as `tune` does."""
    model = sources.model
    if any(model.match(volume).known_by for volume in sources.dataset.volumes()):
        raise XaibenchError(
            f"{model.name} was trained on patients of this cohort, so a run would score the parameters on patients "
            f"that they were chosen on; tune with a cohort of other patients, or a model that was trained on others."
        )
    cohort = TrainingPatients(model, tuple(sources.dataset.class_names))
    few = spec.model_copy(update={"patients": spec.patients or PATIENTS})
    prepared = prepare(few, progress, replace(sources, dataset=cohort, dataset_name="training patients"))
    method, metric = the_only(prepared.methods, "method"), the_only(prepared.metrics, "metric")
    return Search(spec, prepared, method, metric, read_once(prepared))


def the_only(named: Mapping[str, Configured], kind: str) -> Configured:
    """Return the only method or metric of a run. Raises XaibenchError where there are several."""
    if len(named) != 1:
        raise XaibenchError(
            f"One {kind} is tuned by one metric at a time; {', '.join(named)} are {len(named)}."
        )
    return next(iter(named.values()))


@dataclass(frozen=True, eq=False)
class Search:
    """What every trial shares."""

    spec: RunSpec
    prepared: Prepared
    method: Configured
    """With its defaults."""
    metric: Configured
    background: Backgrounds

    def attempt(self, parameters: Mapping[str, Any]) -> Tried:
        """Explain and score the patients with a choice of parameters."""
        name, given = self.method.name, self.spec.parameters
        chosen = {**given, name: {**given.get(name, {}), **parameters}}
        try:
            changed = configure(self.method.plugin, self.spec.model_copy(update={"parameters": chosen}))
        except XaibenchError as refusal:
            return Tried(parameters, None, Passes(), str(refusal))
        results = self._computed(with_method(self.prepared, changed))
        forward, backward = (sum(result.passes[kind] for result in results) for kind in (0, 1))
        records = [record for result in results for record in result.records]
        value, reason = over_patients(records, self.metric.plugin.facts.aggregate)
        return Tried(parameters, value, Passes(int(forward), int(backward)), reason)

    def _computed(self, prepared: Prepared) -> list[Result]:
        """Compute every cell of a run; nothing is kept."""
        with tempfile.TemporaryDirectory() as place, closing(RunFolder(Path(place))) as folder:
            fits = fit_methods(prepared, folder, prepared.methods, self.background)
        worker = Worker(Context(prepared, fits, lambda method, case: None, lambda method: None))
        return [worker(cell) for cell in missing_cells(prepared.info, ())]


def over_patients(records: Sequence[Record], aggregate: str) -> tuple[float | None, str]:
    """Value over the patients, slices of a patient first; None and the reason where a case failed or none has one."""
    failed = [record.reason for record in records if record.status is Status.FAILED]
    values: dict[str, list[float]] = {}
    for record in records:
        if record.value is not None:
            values.setdefault(record.patient, []).append(record.value)
    if failed or not values:
        return None, (failed or [record.reason for record in records])[0]
    middle = median if aggregate == "median" else fmean
    return middle([fmean(own) for own in values.values()]), ""


def with_method(prepared: Prepared, method: Configured) -> Prepared:
    """Exchange the only method of a run."""
    described = describe_method(method, concepts_key(prepared.concepts))
    info = prepared.info.model_copy(update={"methods": {method.name: described}})
    return replace(prepared, info=info, methods={method.name: method})


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
