"""What every plugin must do; run by `xaibench plugin check` and by our own tests alike.

Each check is a function that raises Broken with one sentence; the lists of checks are the contract.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from xaibench.api import CohortExplainer, LoadedModel, NotApplicable, Silent, XaibenchError
from xaibench.harness.configured import Source
from xaibench.harness.contract.classifiers import EVERY_CLASSIFIER
from xaibench.harness.contract.datasets import EVERY_DATASET, SmallDataset
from xaibench.harness.contract.methods import EVERY_METHOD, explains_every_class_of_a_cohort
from xaibench.harness.contract.metrics import CASE_METRIC, scores_a_batch, scores_a_cohort_explanation
from xaibench.harness.contract.models import EVERY_MODEL
from xaibench.harness.contract.trial import Broken, Check, Trial, put_on_trial
from xaibench.harness.describe import scope_of
from xaibench.harness.registry import Plugin, load
from xaibench.harness.store.run_info import Scope

TINY = "tiny"
"""Registered model that methods and metrics are tried on."""


@dataclass(frozen=True)
class Finding:
    """Result of one check."""

    check: str
    problem: str
    """Empty if it passed."""
    skipped: str = ""
    """Why the check has no meaning here."""

    @property
    def told(self) -> str:
        """Problem, or why it was skipped."""
        return self.problem or self.skipped


def check_plugin(plugin: Plugin, options: Mapping[str, Any]) -> Iterator[Finding]:
    """Run every check that fits the kind of plugin; `options` are parameters, or a source's fields such as a path."""
    if plugin.kind in ("methods", "metrics"):
        return check(put_on_trial(plugin, tiny_model().classifiers[0], options))
    source = Source(plugin, None, plugin.name)
    unknown = sorted(set(options) - set(source.options))
    if unknown:
        raise XaibenchError(
            f"{plugin.name} has no option --{unknown[0]}; it has: {', '.join(source.options)}."
        )
    made = source.make(options)
    if plugin.kind == "datasets":
        return run_checks(EVERY_DATASET, made)
    return check_model(made) if plugin.kind == "models" else run_checks(EVERY_CLASSIFIER, made.load())


def tiny_model() -> LoadedModel:
    """Tiny residual network with random weights."""
    model: LoadedModel = load("models", TINY).cls().load(SmallDataset(), Silent())
    return model


def check_model(source: Any) -> Iterator[Finding]:
    """Check what a model source loads, and then its first classifier."""
    model = source.load(SmallDataset(), Silent())
    yield from run_checks(EVERY_MODEL, model)
    yield from run_checks(EVERY_CLASSIFIER, model.classifiers[0])


def check(trial: Trial) -> Iterator[Finding]:
    """Run every check that fits a method or metric."""
    return run_checks(checks_for(trial), trial)


def run_checks(checks: Sequence[Callable[[Any], None]], tried: Any) -> Iterator[Finding]:
    """Run checks one by one; whatever a plugin raises is a finding."""
    for function in checks:
        yield _found(function.__name__.replace("_", " "), partial(function, tried))


def _found(name: str, run: Callable[[], None]) -> Finding:
    try:
        run()
    except NotApplicable as reason:
        return Finding(name, "", str(reason))
    except Exception as error:  # a plugin may raise anything; that is what the check is for
        text = str(error) if isinstance(error, Broken) else f"it raises {type(error).__name__}: {error}"
        return Finding(name, text)
    return Finding(name, "")


def checks_for(trial: Trial) -> list[Check]:
    """Checks of a method, or of a metric of its scope."""
    if trial.tried.plugin.kind == "methods":
        cohort = [explains_every_class_of_a_cohort] if isinstance(trial.made, CohortExplainer) else []
        return [*EVERY_METHOD, *cohort]
    by_scope: dict[Scope, list[Check]] = {
        Scope.CASE: CASE_METRIC,
        Scope.BATCH: [scores_a_batch],
        Scope.CLASS: [scores_a_cohort_explanation],
    }
    return by_scope[scope_of(trial.made)]
