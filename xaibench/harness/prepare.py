"""Puts a run together: plugins, dataset, model, cases and targets, each from what the spec names."""

import hashlib
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import xaibench
from xaibench.api import (
    BatchMetric,
    Case,
    CohortMetric,
    Dataset,
    Volume,
    XaibenchError,
)
from xaibench.classifiers.keras import KerasClassifier
from xaibench.cli.progress import Voice
from xaibench.harness import registry
from xaibench.harness.cell import Entry, Workbench
from xaibench.harness.cohort import Cohort, build_cohort
from xaibench.harness.scopes import scope_of
from xaibench.harness.spec import RunSpec, configured, parameters_of
from xaibench.models.library import Chosen, choose_model

DICOM_FOLDER = "dicom-folder"
RECORDED_VERSIONS = (
    "keras",
    "lime",
    "numpy",
    "pydicom",
    "scikit-image",
    "scipy",
    "shap",
    "tensorflow",
    "tf-explain",
)


@dataclass(frozen=True, eq=False)
class Assembly:
    """Everything a run needs, and the description of it for run.json."""

    cohort: Cohort
    bench: Workbench
    methods: list[Entry]
    metrics: list[Entry]
    info: dict[str, Any]
    problems: list[str]
    """Sentences on plugins that could not be loaded."""


def assemble(spec: RunSpec, voice: Voice) -> Assembly:
    """Load, train or make what the spec names. Raises XaibenchError in one sentence for what does not fit."""
    methods, broken_methods = registry.select("methods", spec.methods)
    metrics, broken_metrics = registry.select("metrics", spec.metrics)
    _check_parameters(spec, [*(plugin.name for plugin in [*methods, *metrics]), spec.dataset])
    method_entries = [Entry(plugin.name, configured(plugin.cls, plugin.name, spec)) for plugin in methods]
    metric_entries = [Entry(plugin.name, configured(plugin.cls, plugin.name, spec)) for plugin in metrics]
    dataset, name = open_dataset(spec)
    model = choose_model(spec.model, dataset, voice)
    _check_intensity(spec, model)
    panel = model.panel
    classifiers: dict[str, KerasClassifier] = {}

    def classifier_of(volume: Volume) -> KerasClassifier:
        return classifiers.setdefault(volume.patient, panel.of(volume))

    cohort = build_cohort(dataset, name, spec, classifier_of)
    cohort.notes.extend(panel.notes())
    for member in panel.members:
        member.input_range = cohort.input_range
    targets = choose_targets(spec, cohort, classifiers)
    facts = {**model.facts, "patients right by their explained slices": accuracy(cohort, classifiers)}
    info = {
        "spec": describe_spec(spec, cohort),
        "model": describe_model(model, facts) | model.record,
        "cohort": describe_cohort(cohort),
        "methods": {p.name: describe_method(p, e) for p, e in zip(methods, method_entries, strict=True)},
        "metrics": {p.name: describe_metric(p, e) for p, e in zip(metrics, metric_entries, strict=True)},
        "machine": describe_machine(),
        "versions": {name: version(name) for name in RECORDED_VERSIONS} | {"xaibench": version("xaibench")},
    }
    info["identity"] = identity(info)
    used = {case.patient: classifiers[case.patient] for case in cohort.cases}
    bench = Workbench(used, targets, spec.seed, spec.cell_timeout, panel.folds())
    return Assembly(cohort, bench, method_entries, metric_entries, info, [*broken_methods, *broken_metrics])


def open_dataset(spec: RunSpec) -> tuple[Dataset, str]:
    """Registered dataset of that name, or the reader of a DICOM folder; and a name that gives no path away."""
    registered = spec.dataset in registry.entries("datasets")
    path = Path(spec.dataset)
    if not registered and (path.is_dir() or path.parent != Path()):
        if not path.is_dir():
            raise XaibenchError(f"There is no folder {path}; give the folder of the DICOM files.")
        reader = registry.load("datasets", DICOM_FOLDER).cls
        return reader(root=path, series=spec.series, labels=spec.labels, roi=spec.roi), "DICOM folder"
    if spec.dataset == DICOM_FOLDER:
        raise XaibenchError("Name the DICOM folder itself: --dataset PATH.")
    if spec.series or spec.labels or spec.roi:
        raise XaibenchError(f"--series, --roi and --labels belong to a DICOM folder, not to {spec.dataset}.")
    made = registry.load("datasets", spec.dataset).cls
    return made(**parameters_of(made, spec.dataset, spec)), spec.dataset


def choose_targets(
    spec: RunSpec, cohort: Cohort, classifiers: Mapping[str, KerasClassifier]
) -> dict[str, int]:
    """Explained class of each case. Raises XaibenchError for a class that the model does not have."""
    if spec.target == "true":
        wanted = {case.id: case.label for case in cohort.cases}
    elif spec.target == "predicted":
        wanted = {case.id: int(_scores(case, classifiers).argmax()) for case in cohort.cases}
    else:
        wanted = {case.id: int(spec.target) for case in cohort.cases}
    highest, known = max(wanted.values()), classifiers[cohort.cases[0].patient].n_classes
    if highest >= known:
        raise XaibenchError(f"Class {highest} is asked for, but the model has classes 0 to {known - 1}.")
    return wanted


def accuracy(cohort: Cohort, classifiers: Mapping[str, KerasClassifier]) -> str:
    """Patients whose mean class probabilities favour their label, such as `27 of 28`."""
    scores: dict[str, list[np.ndarray]] = {}
    for case in cohort.cases:
        scores.setdefault(case.patient, []).append(_scores(case, classifiers))
    labels = {case.patient: case.label for case in cohort.cases}
    right = sum(int(np.mean(rows, axis=0).argmax()) == labels[patient] for patient, rows in scores.items())
    return f"{right} of {len(labels)}"


def _scores(case: Case, classifiers: Mapping[str, KerasClassifier]) -> np.ndarray:
    return classifiers[case.patient].remembered_scores(case.image)


# -------------------------------------------------------------------- descriptions for run.json


def identity(info: dict[str, Any]) -> dict[str, Any]:
    """What must be the same for a run to be continued in its folder."""
    plugins = {
        name: [d["package"], d["parameters"]]
        for kind in ("methods", "metrics")
        for name, d in info[kind].items()
    }
    return {
        "settings": info["spec"],
        "model": info["model"]["hash"],
        "cohort": info["cohort"]["hash"],
        "plugins": plugins,
        "code": code_hash(),
    }


def code_hash() -> str:
    """Hash of the package's source."""
    digest = hashlib.sha256()
    root = Path(xaibench.__file__).parent
    for file in sorted(root.rglob("*.py")):
        digest.update(file.relative_to(root).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()


def describe_spec(spec: RunSpec, cohort: Cohort) -> dict[str, Any]:
    """Spec section of run.json; a path may name a patient or a user, so folders and files appear by kind or name."""
    shown = spec.model_dump(mode="json") | {"dataset": cohort.name, "model": model_name(spec)}
    return shown | {"labels": None if spec.labels is None else "a table of the user's"}


def model_name(spec: RunSpec) -> str:
    """Name of the model, without the folder of its file."""
    return Path(spec.model).name


def describe_model(model: Chosen, facts: dict[str, Any]) -> dict[str, Any]:
    """Model section of run.json."""
    classifier = model.panel.members[0]
    return {
        "name": model.name,
        "hash": model.panel.fingerprint,
        "parameters": int(classifier.model.count_params()),
        "input_shape": list(classifier.input_shape),
        "layer": classifier.default_layer if classifier.graph.has_maps() else "none",
        "facts": facts,
    }


def describe_cohort(cohort: Cohort) -> dict[str, Any]:
    """Cohort section of run.json."""
    return {
        "name": cohort.name,
        "hash": cohort.fingerprint(),
        "class_names": list(cohort.class_names),
        "patients": cohort.patients,
        "cases": len(cohort.cases),
        "notes": cohort.notes,
    }


def describe_method(plugin: registry.Plugin, entry: Entry) -> dict[str, Any]:
    """Describe one method for run.json."""
    return {
        "family": str(plugin.cls.family),
        "needs": sorted(need.value for need in plugin.cls.needs),
        "source": plugin.cls.source,
        "package": plugin.package,
        "parameters": asdict(entry.plugin),
    }


def describe_metric(plugin: registry.Plugin, entry: Entry) -> dict[str, Any]:
    """Describe one metric for run.json; None stands for an infinite bound."""
    scopes: dict[type, str] = {CohortMetric: "cohort", BatchMetric: "throughput"}
    return {
        "family": str(plugin.cls.family),
        "higher_is_better": plugin.cls.higher_is_better,
        "range": [bound if np.isfinite(bound) else None for bound in plugin.cls.range],
        "unit": plugin.cls.unit,
        "source": plugin.cls.source,
        "package": plugin.package,
        "needs_mask": getattr(plugin.cls, "needs_mask", False),
        "parameters": asdict(entry.plugin),
        "scope": scopes.get(scope_of(entry.plugin), "case"),
    }


def describe_machine() -> dict[str, Any]:
    """Processor, memory and system; nothing that names the user or the host."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
    return {
        "cpu": platform.processor() or platform.machine(),
        "cores": os.cpu_count() or 1,
        "memory_gib": round(pages / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _check_intensity(spec: RunSpec, model: Chosen) -> None:
    trained = model.record.get("training", {}).get("settings", {}).get("plan", {}).get("intensity")
    if trained not in (None, spec.intensity):
        raise XaibenchError(
            f"The model was trained with --intensity {trained}, but this run gives it {spec.intensity.value} images; "
            f"add --intensity {trained}."
        )


def _check_parameters(spec: RunSpec, names: list[str]) -> None:
    for name in spec.parameters:
        if name not in names:
            raise XaibenchError(registry.unknown("chosen method, metric or dataset", name, names))
