"""What every explainer and metric must do; run by `xaibench plugin check` and by our own tests alike.

Each check is a function that raises Broken with one sentence; the lists of checks are the contract.
"""

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from xaibench.api import (
    BatchMetric,
    CohortExplainer,
    CohortMetric,
    Metric,
    NotApplicable,
)
from xaibench.harness.contract.methods import EVERY_METHOD, explains_every_class_of_a_cohort
from xaibench.harness.contract.metrics import CASE_METRIC, scores_a_batch, scores_a_cohort_explanation
from xaibench.harness.contract.trial import Broken, Check, Trial
from xaibench.harness.scopes import scope_of


@dataclass(frozen=True)
class Finding:
    """Result of one check."""

    check: str
    problem: str
    """Empty if it passed."""
    skipped: str = ""
    """Why the check has no meaning here."""


def check(trial: Trial) -> Iterator[Finding]:
    """Run every check that fits the kind of plugin."""
    for function in checks_for(trial.entry.plugin):
        name = function.__name__.replace("_", " ")
        try:
            function(trial)
        except NotApplicable as reason:
            yield Finding(name, "", str(reason))
        except Exception as error:  # a plugin may raise anything; that is what the check is for
            text = str(error) if isinstance(error, Broken) else f"it raises {type(error).__name__}: {error}"
            yield Finding(name, text)
        else:
            yield Finding(name, "")


def checks_for(plugin: Any) -> list[Check]:
    """Checks of a method or of a metric of its scope."""
    if hasattr(plugin, "needs"):
        cohort = [explains_every_class_of_a_cohort] if isinstance(plugin, CohortExplainer) else []
        return [*EVERY_PLUGIN, *EVERY_METHOD, *cohort]
    by_scope: dict[type, list[Check]] = {
        Metric: CASE_METRIC,
        BatchMetric: [scores_a_batch],
        CohortMetric: [scores_a_cohort_explanation],
    }
    return [*EVERY_PLUGIN, *by_scope[scope_of(plugin)]]


def is_a_frozen_dataclass(trial: Trial) -> None:
    """Its fields are its recorded parameters."""
    options = getattr(trial.entry.plugin, "__dataclass_params__", None)
    if options is None or not options.frozen:
        raise Broken("it is no frozen dataclass; write @dataclass(frozen=True) above the class")


def parameters_can_be_recorded(trial: Trial) -> None:
    """Parameters go into run.json."""
    try:
        json.dumps(dataclasses.asdict(trial.entry.plugin))
    except TypeError as error:
        raise Broken(f"a field cannot be written to run.json: {error}") from error


def presets_name_its_own_fields(trial: Trial) -> None:
    """A preset's budget must be one of the fields."""
    fields = {field.name for field in dataclasses.fields(trial.entry.plugin)}
    for preset, values in getattr(trial.entry.plugin, "presets", {}).items():
        if preset not in ("smoke", "paper"):
            raise Broken(
                f"preset {preset!r} is not known; there are smoke and paper, the defaults are standard"
            )
        if not set(values) <= fields:
            raise Broken(f"preset {preset!r} sets {sorted(set(values) - fields)}, which are no fields")


EVERY_PLUGIN: list[Check] = [is_a_frozen_dataclass, parameters_can_be_recorded, presets_name_its_own_fields]
