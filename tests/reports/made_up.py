"""A run folder made by hand: no model, no method, every status and every nasty name in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from xaibench.api import Case, CohortExplanation, Explanation, HeldOut, Record, Status
from xaibench.harness.cells import Cell, Result, wanted
from xaibench.harness.store.folder import RunFolder
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
)

NASTY = "<b>bold</b>|pipe $x"
METHODS = {
    "grad-cam": "cam",
    "lime": "perturbation",
    "occlusion": "perturbation",
    "stacked-feature-maps": "generator",
    NASTY: "cam",
    "broken": "cam",
    "blind": "attention",
    "random": "control",
    "edges": "control",
    "mask": "control",
}


class Facts(NamedTuple):
    """What a made-up metric declares."""

    family: str
    higher: bool
    range: tuple[float | None, float | None]
    ranked: str = ""
    aggregate: str = "mean"
    scope: Scope = Scope.CASE
    unit: str = ""


METRICS = {
    "morf-lerf": Facts("faithfulness", True, (-1, 1), "order of the pixels"),
    "deletion-auc": Facts("faithfulness", False, (0, 1)),
    "sensitivity-norm": Facts("robustness", False, (0, None), "unchanged under noise", "median"),
    "relevance-mass": Facts("co-localisation", True, (0, 1)),
    "enrichment": Facts("co-localisation", True, (0, None), "mass inside the region"),
    "pointing-game": Facts("co-localisation", True, (0, 1), "hottest pixel inside the region", "share"),
    "gini": Facts("complexity", True, (0, 1), "few pixels"),
    "latency": Facts("cost", False, (0, None), "", "median", Scope.CASE, "ms"),
    "throughput": Facts("cost", True, (0, None), "", "median", Scope.BATCH),
    "backward-passes": Facts("cost", False, (0, None)),
    "class-consistency": Facts("cohort", True, (0, 1), "", "mean", Scope.CLASS),
    "cohort-colocalisation": Facts("cohort", True, (0, 1), "", "mean", Scope.CLASS),
    "bootstrap-stability": Facts("cohort", True, (0, 1), "", "mean", Scope.CLASS),
}
COHORT_METRICS = [name for name, facts in METRICS.items() if facts.scope is Scope.CLASS]
QUALITY = {
    "lime": 0.3,
    "grad-cam": 0.5,
    NASTY: 0.5,
    "occlusion": 0.7,
    "stacked-feature-maps": 0.6,
    "random": 0.0,
    "edges": 0.1,
    "mask": 1.0,
}
CLASSES = ("non-recurrent", "recurrent")
NOTES = ("One slice a patient: the one with the largest annotated area.", "<script>alert(1)</script>")
AT = datetime(2030, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Plan:
    """What the made-up run shall look like."""

    patients: int = 6
    size: int = 24
    regions: bool = True
    shortcut: bool = False
    """Explainers look away from the tumour."""
    wrong: int = 0
    """How many of the first patients the model gets wrong."""
    methods: Mapping[str, str] = field(default_factory=lambda: METHODS)
    """Families by name."""
    metrics: tuple[str, ...] = tuple(METRICS)


def info_of(
    methods: Mapping[str, str],
    metrics: Sequence[str],
    cases: Sequence[CaseInfo] | int,
    **model: Any,
) -> RunInfo:
    """Describe a run of the named metrics; a number of cases makes them, one a patient."""
    made = tuple(map(case_info, range(cases))) if isinstance(cases, int) else tuple(cases)
    spec = {"dataset": "phantom", "preset": "smoke", "seed": 0, "target": "predicted"}
    return RunInfo(
        spec=spec,
        model=ModelInfo(
            **{
                "name": "recurrence",
                "key": "m" * 24,
                "class_names": CLASSES,
                "input_shape": (128, 128, 1),
                "offers": ("scores",),
                "facts": {"trained on": "120 phantom patients of another seed"},
                "held_out": HeldOut.YES,
                **model,
            }
        ),
        cohort=CohortInfo(
            name="phantom", key="c" * 24, class_names=CLASSES, region_name="tumour", cases=made, notes=NOTES
        ),
        methods={name: _method(name, family) for name, family in methods.items()},
        metrics={name: _metric(name, METRICS[name]) for name in metrics},
        machine=Machine(cpu="x86_64", cores=2, memory_gib=7.8, system="Linux 6", python="3.11.9"),
        versions={"tensorflow": "2.21.0", "xaibench": "0.1.0"},
        history=(Request(at=AT, spec=spec),),
    )


def case_info(number: int, label: int = 0, right: bool = True, pixels: int | None = None) -> CaseInfo:
    """Describe the only case of a patient; the predicted class is explained."""
    predicted = label if right else 1 - label
    return CaseInfo(
        id=f"P{number:03d}-s{10 + number}",
        patient=f"P{number:03d}",
        labels=(label,),
        target=predicted,
        scores=(0.9, 0.1) if predicted == 0 else (0.1, 0.9),
        key=f"case{number}",
        region_pixels=pixels,
    )


def _method(name: str, family: str) -> MethodInfo:
    return MethodInfo(
        key=f"method {name}",
        package="xaibench 0.1.0",
        code="code",
        parameters={"samples": 200} if name == "lime" else {},
        family=family,
        needs=() if family == "control" else ("feature maps",),
        source="Made up 2024",
    )


def _metric(name: str, facts: Facts) -> MetricInfo:
    return MetricInfo(
        key=f"metric {name}",
        package="xaibench 0.1.0",
        code="code",
        parameters={"steps": 20},
        family=facts.family,
        higher_is_better=facts.higher,
        range=facts.range,
        unit=facts.unit,
        source="Made up 2024, eq. 3",
        needs=("the annotated region",) if facts.family == "co-localisation" else (),
        chance="1" if name == "enrichment" else "",
        aggregate=facts.aggregate,  # type: ignore[arg-type]  # pydantic checks it
        ranked=facts.ranked,
        scope=facts.scope,
    )


def make_run(path: Path, plan: Plan = Plan(), **model: Any) -> RunFolder:
    """Make the whole folder; `broken` fails on half of the cases, `blind` does not apply to the model."""
    cases = [_case(number, plan) for number in range(plan.patients)]
    described = [_described(case, number, plan) for number, case in enumerate(cases)]
    info = info_of(plan.methods, plan.metrics, described, **model)
    folder = RunFolder(path)
    folder.begin(info, {case.id: case for case in cases})
    for method in plan.methods:
        for number, case in enumerate(cases):
            records, heatmap = _explain(method, case, number, plan)
            explained = (
                None if heatmap is None else Explanation(heatmap, described[number].target, 0.01, 1, 1)
            )
            keep(folder, records, explained)
        keep(folder, _cohort_records(method, plan))
    if "stacked-feature-maps" in plan.methods:
        classes = {label: _stacked(cases, label) for label in (0, 1)}
        keep(folder, [], classes=classes, method="stacked-feature-maps")
    return folder


def make_cases(patients: int) -> dict[str, Case]:
    """Make the images of the first patients, by the name of the case."""
    return {case.id: case for case in (_case(number, Plan()) for number in range(patients))}


def keep(
    folder: RunFolder,
    records: Sequence[Record],
    explanation: Explanation | None = None,
    classes: Mapping[int, CohortExplanation] | None = None,
    method: str = "",
) -> None:
    """Write records and arrays of one method and unit, under the keys that the run wants."""
    units = {(w.method, w.metric, w.unit.id): w for w in wanted(folder.info())}
    keyed = [replace(r, key=units[r.method, r.metric, r.case].key) for r in records]
    of_method = method or records[0].method
    unit = next(
        w.unit
        for w in units.values()
        if w.method == of_method and (not records or w.unit.id == records[0].case)
    )
    cell = Cell(of_method, unit, tuple(r.metric for r in records))
    folder.keep(Result(cell, keyed, explanation, classes or {}))


def _described(case: Case, number: int, plan: Plan) -> CaseInfo:
    pixels = None if case.region is None else int(case.region.sum())
    return case_info(number, case.label, right=number >= plan.wrong, pixels=pixels)


def _case(number: int, plan: Plan) -> Case:
    rng = np.random.default_rng(number)
    y, x = np.mgrid[: plan.size, : plan.size] / plan.size
    body = ((x - 0.5) / 0.45) ** 2 + ((y - 0.5) / 0.36) ** 2 < 1
    tumour = _tumour(number, plan)
    image = 300.0 * body + 250.0 * tumour + 20 * rng.normal(size=body.shape)
    return Case(
        id=f"P{number:03d}-s{10 + number}",
        patient=f"P{number:03d}",
        image=image.astype(np.float32)[..., None],
        labels=(int(number % 4 == 3),),
        region=tumour if plan.regions and number != 1 else None,  # one patient without annotation
        spacing_mm=(0.8, 0.8),
        slice_index=10 + number,
        region_name="tumour",
    )


def _tumour(number: int, plan: Plan) -> np.ndarray:
    y, x = np.mgrid[: plan.size, : plan.size] / plan.size
    return np.hypot(x - 0.5 - 0.02 * (number % 3), y - 0.52) < 0.1 + 0.01 * (number % 4)


def _heatmap(method: str, case: Case, number: int, plan: Plan) -> np.ndarray:
    rng = np.random.default_rng([number, *method.encode()])
    y, x = np.mgrid[: plan.size, : plan.size] / plan.size
    centre = (0.85, 0.2) if plan.shortcut else (0.5 + 0.05 * rng.normal(), 0.5)
    blob = np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / 0.02)
    maps = {
        "random": rng.random(blob.shape),
        "edges": np.hypot(*np.gradient(case.image[..., 0])),
        "mask": _tumour(number, plan),
        "lime": np.round(4 * blob) - 1,
        "occlusion": blob - 0.3 * np.sin(9 * x) * np.cos(7 * y),
        "stacked-feature-maps": np.zeros_like(blob) if number == 0 else blob,
    }
    return np.asarray(maps.get(method, blob)).astype(np.float32)


def _explain(method: str, case: Case, number: int, plan: Plan) -> tuple[list[Record], np.ndarray | None]:
    names = [name for name in plan.metrics if METRICS[name].scope is Scope.CASE]
    blanks = [Record(case.id, case.patient, method, name, Status.FAILED) for name in names]
    if method == "broken" and number % 2:
        return [
            replace(r, reason="ValueError: the method returned NaN\nor infinite values") for r in blanks
        ], None
    if method == "blind":
        return _inapplicable(blanks, "the method needs attention, which this model does not offer"), None
    if method == "mask" and case.region is None:
        return _inapplicable(blanks, "the case has no annotated region"), None
    heatmap = _heatmap(method, case, number, plan)
    return [_scored(blank, heatmap, case, number) for blank in blanks], heatmap


def _inapplicable(blanks: Sequence[Record], reason: str) -> list[Record]:
    return [replace(r, status=Status.NOT_APPLICABLE, reason=reason) for r in blanks]


def _scored(blank: Record, heatmap: np.ndarray, case: Case, number: int) -> Record:
    rng = np.random.default_rng([number, *f"{blank.method} {blank.metric}".encode()])
    if METRICS[blank.metric].family == "co-localisation" and case.region is None:
        return _inapplicable([blank], "the case has no annotated region")[0]
    quality = QUALITY.get(blank.method, 0.2) + 0.05 * rng.normal()
    located = _located(heatmap, case.region)
    value = {
        "morf-lerf": 0.8 * quality,
        "deletion-auc": 0.9 - 0.6 * quality,
        "sensitivity-norm": abs(1 - quality),
        "gini": float(np.clip(quality, 0, 1)),
        "latency": 4000 * (1.1 - quality) ** 4 + 1,
        "backward-passes": float(METHODS.get(blank.method) in ("cam", "generator")),
        **located,
    }[blank.metric]
    details = {
        "morf-lerf": {"gain": 0.8 * quality, "tied_share": 0.9 if blank.method == "lime" else 0.0},
        "deletion-auc": {"gain": 0.6 * quality, "normalised": value - 0.1},
        "enrichment": {"gain": value - 1},
        "relevance-mass": {"gain": located.get("gain", 0.0)},
    }.get(blank.metric, {})
    return replace(blank, status=Status.OK, value=float(value), details=details)


def _located(heatmap: np.ndarray, region: np.ndarray | None) -> dict[str, float]:
    if region is None:
        return {}
    positive = np.maximum(heatmap, 0)
    share = float(region.mean())
    mass = float(positive[region].sum() / positive.sum()) if positive.any() else share
    hit = float(region[heatmap == heatmap.max()].mean())
    return {"relevance-mass": mass, "enrichment": mass / share, "pointing-game": hit, "gain": mass - share}


def _cohort_records(method: str, plan: Plan) -> list[Record]:
    blank = Record("cohort", "cohort", method, "throughput", Status.OK, value=10.0 + len(method))
    if "throughput" not in plan.metrics:
        return []
    if method == "blind":
        return _inapplicable(
            [replace(blank, value=None)], "the method needs attention, which this model does not offer"
        )
    return [blank]


def _stacked(cases: Sequence[Case], label: int) -> CohortExplanation:
    chosen = [case for case in cases if case.label == label] or list(cases)
    image = np.mean([case.image for case in chosen], axis=0, dtype=np.float32)
    return CohortExplanation(image, image[..., 0] / image.max(), np.zeros(image.shape[:2], np.int64))
