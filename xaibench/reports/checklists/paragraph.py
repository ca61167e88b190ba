"""A methods paragraph for a paper, from what the run recorded."""

from collections.abc import Mapping
from typing import Any

from xaibench.harness.store.run_info import RunInfo
from xaibench.reports.checklists import facts
from xaibench.reports.text import listed, one_line, plural

TARGETS = {
    "predicted": "the predicted class",
    "true": "the true class",
    "finding": "each finding",
    "all": "every class",
}


def methods_paragraph(info: RunInfo) -> str:
    """Cohort, model, explainers, metrics, statistics, seeds and versions, in sentences."""
    target = str(info.spec.get("target"))
    sentences = [
        f"Explanations of the classifier {facts.model(info)} were compared on {facts.cohort(info)}.",
        f"{facts.annotated(info)}.",
        f"Patients of this cohort in the training of the model: {info.model.held_out.value}.",
        f"Images were read with {facts.reading(info)}.",
        f"What was explained is {TARGETS.get(target, f'the class {target}')}.",
        f"{plural(len(info.competitors()), 'explainer')} ran with the budgets of the preset "
        f"{info.spec.get('preset')!r}: {listed(info.competitors())}.",
        f"Controls were {listed(info.controls())}." if info.controls() else "",
        f"Each map was scored by {plural(len(info.metrics), 'metric')} ({facts.metrics(info)}).",
        facts.STATISTICS,
        f"Everything random followed from the seed {info.spec.get('seed')}.",
        f"Explainers and metrics came from {facts.packages(info)}; other software: {facts.software(info)}.",
        f"Fingerprints: model {info.model.key}, cohort {info.cohort.key}.",
    ]
    return " ".join(one_line(sentence) for sentence in sentences if sentence)


def sources(info: RunInfo) -> list[list[str]]:
    """Each explainer and metric with its parameters and source: what the paragraph cannot hold."""
    methods = [("explainer", name, one.parameters, one.source) for name, one in sorted(info.methods.items())]
    metrics = [("metric", name, one.parameters, one.source) for name, one in sorted(info.metrics.items())]
    return [
        [kind, name, _listed(parameters), source] for kind, name, parameters, source in [*methods, *metrics]
    ]


def _listed(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in sorted(parameters.items())) or "none"
