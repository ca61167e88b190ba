"""What stands in run.json: plugins, model, cohort and machine in words and keys."""

import math
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from xaibench.api import (
    BatchMetric,
    Case,
    CohortMetric,
    Dataset,
    Folds,
    HeldOut,
    LoadedModel,
    Need,
)
from xaibench.harness import keys
from xaibench.harness.cohort import Cohort
from xaibench.harness.configured import Configured
from xaibench.harness.declared import parameters
from xaibench.harness.spec import MOST_EXPLAINED_AGAIN, MOST_TIMED, RunSpec
from xaibench.harness.store.run_info import (
    CaseInfo,
    CohortInfo,
    Machine,
    MethodInfo,
    MetricInfo,
    ModelInfo,
    Request,
    RunInfo,
    Scope,
    now,
)


@dataclass(frozen=True, eq=False)
class Sources:
    """Dataset and model of a run, opened, with names that give no path away."""

    dataset: Dataset
    dataset_name: str
    model: LoadedModel
    concepts: Dataset | None = None
    """Cohort whose classes are concepts."""


@dataclass(frozen=True, eq=False)
class Setting:
    """Who explains which case, for which class, and what the model says of it."""

    folds: Folds
    scores: Mapping[str, np.ndarray]
    """Class probabilities of each case."""
    targets: Mapping[str, int]
    """Explained class of each case."""
    held_out: HeldOut
    copies: Mapping[str, str] = field(default_factory=dict)
    """What each case is a copy of, where one is explained for several classes."""


RECORDED_VERSIONS = (
    *("xaibench", "keras", "lime", "numpy", "pydicom", "scikit-image", "scipy", "shap", "tensorflow"),
    *("tf-explain", "torch", "onnxruntime"),
)


def describe(
    spec: RunSpec,
    sources: Sources,
    cohort: Cohort,
    setting: Setting,
    methods: Sequence[Configured],
    metrics: Sequence[Configured],
    concepts: str,
) -> RunInfo:
    """Describe a run whose concepts have a key; the history is the store's."""
    shown = keys.spec_shown(spec.model_dump(mode="json"), sources.dataset_name, sources.model.name)
    return RunInfo(
        spec=shown,
        methods={method.name: describe_method(method, concepts) for method in methods},
        metrics={metric.name: describe_metric(metric, spec) for metric in metrics},
        model=describe_model(sources.model, setting, cohort.class_names),
        cohort=describe_cohort(sources.dataset_name, cohort, setting, spec.seed),
        machine=describe_machine(),
        versions={name: found for name in RECORDED_VERSIONS if (found := _version(name))},
        history=(Request(at=now(), spec=shown),),
    )


def describe_cohort(name: str, cohort: Cohort, setting: Setting, seed: int) -> CohortInfo:
    """Describe the cohort and each of its cases."""
    cases = tuple(describe_case(case, setting, seed) for case in cohort.cases)
    region_names = [case.region_name for case in cohort.cases if case.region is not None]
    return CohortInfo(
        name=name,
        key=keys.unit_key([case.key for case in cases]),
        class_names=cohort.class_names,
        region_name=region_names[0] if region_names else "region",
        cases=cases,
        notes=tuple(cohort.notes),
    )


def describe_case(case: Case, setting: Setting, seed: int) -> CaseInfo:
    """Describe a case."""
    number, classifiers = setting.folds.of[case.patient], setting.folds.classifiers
    target = setting.targets[case.id]
    return CaseInfo(
        id=case.id,
        patient=case.patient,
        labels=case.labels,
        target=target,
        scores=tuple(map(float, setting.scores[case.id])),
        fold=number if len(classifiers) > 1 else None,
        key=keys.case_key(case, target, classifiers[number].fingerprint, seed),
        region_pixels=None if case.region is None else int(case.region.sum()),
        copy_of=setting.copies.get(case.id, ""),
    )


def describe_model(model: LoadedModel, setting: Setting, labels: Sequence[str]) -> ModelInfo:
    """Describe the model; outputs without a name take the cohort's, where there are as many."""
    first = model.classifiers[0]
    unnamed = [*labels, *(f"class {number}" for number in range(len(labels), first.n_classes))]
    return ModelInfo(
        name=model.name,
        key=keys.digest([member.fingerprint for member in model.classifiers]),
        class_names=model.class_names or tuple(unnamed[: first.n_classes]),
        input_shape=first.input_shape,
        offers=tuple(sorted(need.value for need in first.offers)),
        exclusive=first.exclusive,
        facts=model.facts,
        record=model.record,
        held_out=setting.held_out,
    )


def describe_method(method: Configured, concepts: str) -> MethodInfo:
    """Describe a method; its key covers the concepts that it learns from."""
    facts, described = method.plugin.facts, _described(method)
    if Need.CONCEPTS in facts.needs:
        described["key"] = keys.digest(described["key"], concepts)
    return MethodInfo(
        **described,
        family=str(facts.family),
        needs=tuple(sorted(need.value for need in facts.needs)),
        source=facts.source,
    )


def describe_metric(metric: Configured, spec: RunSpec) -> MetricInfo:
    """Describe a metric; None stands for an infinite bound."""
    facts = metric.plugin.facts
    low, high = (bound if math.isfinite(bound) else None for bound in facts.range)
    return MetricInfo(
        **_described(metric),
        family=str(facts.family),
        higher_is_better=facts.higher_is_better,
        range=(low, high),
        unit=facts.unit,
        source=facts.source,
        needs=tuple(sorted(need.value for need in facts.needs)),
        chance=facts.chance,
        aggregate=facts.aggregate,
        ranked=facts.ranked,
        scope=scope_of(metric.made),
        at_most_patients=most_patients(metric, spec),
    )


def most_patients(metric: Configured, spec: RunSpec) -> int | None:
    """Largest number of patients that a metric is computed for: what explains again or takes time takes few."""
    if Need.TIMING in metric.needs or scope_of(metric.made) is Scope.BATCH:
        return MOST_TIMED
    return MOST_EXPLAINED_AGAIN.get(spec.preset) if Need.EXPLAIN in metric.needs else None


def scope_of(metric: Any) -> Scope:
    """What a metric scores, by the protocol it follows."""
    if isinstance(metric, CohortMetric):
        return Scope.CLASS
    return Scope.BATCH if isinstance(metric, BatchMetric) else Scope.CASE


def describe_machine() -> Machine:
    """Processor, memory and system; nothing that names the user or the host."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
    return Machine(
        cpu=platform.processor() or platform.machine(),
        cores=os.cpu_count() or 1,
        memory_gib=round(pages / 2**30, 1),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
    )


def _described(configured: Configured) -> dict[str, Any]:
    plugin = configured.plugin
    return {
        "key": keys.plugin_key(plugin, configured.made),
        "package": plugin.package,
        "code": plugin.code,
        "parameters": parameters(configured.made),
        "summary": (plugin.cls.__doc__ or "").strip().partition("\n")[0],
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
