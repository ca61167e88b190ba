"""What two runs share: patients by pseudonym, metrics that measure the same, methods of one name."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from xaibench.harness.store.run_info import CaseInfo, MethodInfo, MetricInfo, RunInfo
from xaibench.reports.scoring.results import Results
from xaibench.reports.text import listed


@dataclass(frozen=True, eq=False)
class Pair:
    """Two runs, and what of them can be compared."""

    first: Results
    second: Results
    names: tuple[str, str]
    """How readers are told the two apart."""

    @cached_property
    def patients(self) -> tuple[str, ...]:
        """Patients of both runs, by pseudonym; none where one of them has other labels in the other run."""
        own, theirs = (_labels(run.info) for run in (self.first, self.second))
        shared = sorted(own.keys() & theirs.keys())
        return tuple(shared) if all(own[name] == theirs[name] for name in shared) else ()

    @property
    def methods(self) -> list[str]:
        """Methods of both runs, sorted."""
        return sorted(self.first.info.methods.keys() & self.second.info.methods.keys())

    @cached_property
    def metrics(self) -> list[str]:
        """Metrics that measure the same in both runs, sorted."""
        return sorted(name for name, why in self._shared_metrics.items() if not why)

    @cached_property
    def left_out(self) -> Mapping[str, str]:
        """Metrics of both runs that do not measure the same, with the reason."""
        return {name: why for name, why in sorted(self._shared_metrics.items()) if why}

    @cached_property
    def _shared_metrics(self) -> dict[str, str]:
        own, theirs = self.first.info.metrics, self.second.info.metrics
        return {name: _differs(own[name], theirs[name]) for name in own.keys() & theirs.keys()}

    def changed_methods(self) -> dict[str, str]:
        """Methods of one name that are not the same in both runs, with what differs."""
        own, theirs = self.first.info.methods, self.second.info.methods
        return {name: why for name in self.methods if (why := _differs(own[name], theirs[name]))}


def _labels(info: RunInfo) -> dict[str, tuple[int, ...]]:
    cases: dict[str, CaseInfo] = {case.patient: case for case in info.cohort.cases}
    return {patient: case.labels for patient, case in cases.items()}


def _differs(first: MethodInfo | MetricInfo, second: MethodInfo | MetricInfo) -> str:
    """What decides the numbers and differs; empty for the same. The seed of a metric that draws may differ."""
    parts: dict[str, tuple[Any, Any]] = {
        "parameters": (_parameters(first), _parameters(second)),
        "code": (f"{first.code} of {first.package}", f"{second.code} of {second.package}"),
    }
    if (first.code, parts["parameters"][0]) == (second.code, parts["parameters"][1]):
        return ""
    return "other " + listed(
        [f"{what} ({own} and {other})" for what, (own, other) in parts.items() if own != other]
    )


def _parameters(facts: MethodInfo | MetricInfo) -> str:
    given = {name: value for name, value in facts.parameters.items() if name != "seed"}
    return ", ".join(f"{name} = {value}" for name, value in sorted(given.items())) or "none"
