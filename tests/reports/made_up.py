"""A run folder made by hand: no model, no method, every status and every nasty name in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from xaibench.api import Case, CohortExplanation, Explanation, Record, Status
from xaibench.harness.store.folder import RunFolder

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
METRICS: dict[str, tuple[str, bool, list[float | None], str]] = {
    "deletion-auc": ("faithfulness", False, [0, 1], "case"),
    "insertion-auc": ("faithfulness", True, [0, 1], "case"),
    "sensitivity-norm": ("robustness", False, [0, None], "case"),
    "relevance-mass": ("co-localisation", True, [0, 1], "case"),
    "enrichment": ("co-localisation", True, [0, None], "case"),
    "latency": ("cost", False, [0, None], "case"),
    "throughput": ("cost", True, [0, None], "throughput"),
    "backward-passes": ("cost", False, [0, None], "case"),
    "class-consistency": ("cohort", True, [0, 1], "cohort"),
}
QUALITY = {
    "lime": 0.3,
    "grad-cam": 0.5,
    NASTY: 0.5,
    "occlusion": 0.7,
    "stacked-feature-maps": 0.6,
    "mask": 1.0,
}
CLASSES = ["non-recurrent", "recurrent"]


@dataclass(frozen=True)
class Plan:
    """What the made-up run shall look like."""

    patients: int = 6
    size: int = 24
    masks: bool = True
    shortcut: bool = False
    """Explainers look away from the tumour."""


def info_of(
    methods: Mapping[str, str], metrics: Sequence[str], patients: int, cases: int | None = None
) -> dict[str, Any]:
    return {
        "identity": {"settings": {}, "model": "m" * 64, "cohort": "c" * 64, "plugins": {}, "code": "d" * 64},
        "spec": {
            "methods": ["all"],
            "dataset": "phantom",
            "preset": "smoke",
            "seed": 0,
            "target": "predicted",
        },
        "model": {
            "name": "recurrence",
            "hash": "m" * 64,
            "parameters": 200_000,
            "input_shape": [128, 128, 1],
            "layer": "block4_out",
            "facts": {
                "held-out patient accuracy": 0.9643,
                "trained on": "120 phantom patients of another seed",
            },
        },
        "cohort": {
            "name": "phantom",
            "hash": "c" * 64,
            "class_names": CLASSES,
            "patients": patients,
            "cases": patients if cases is None else cases,
            "notes": [
                "One slice a patient: the one with the largest annotated area.",
                "<script>alert(1)</script>",
            ],
        },
        "methods": {name: _method(name, family) for name, family in methods.items()},
        "metrics": {name: _metric(*METRICS[name]) for name in metrics},
        "machine": {"cpu": "x86_64", "cores": 2, "memory_gib": 7.8, "system": "Linux 6", "python": "3.11.9"},
        "versions": {"tensorflow": "2.21.0", "xaibench": "0.1.0"},
    }


def _method(name: str, family: str) -> dict[str, Any]:
    needs = [] if family == "control" else ["feature maps"]
    parameters = {"samples": 200, "seed": 0} if name == "lime" else {}
    source = "Made up 2024"
    return {
        "family": family,
        "needs": needs,
        "source": source,
        "package": "xaibench 0.1.0",
        "parameters": parameters,
    }


def _metric(family: str, higher: bool, bounds: list[float | None], scope: str) -> dict[str, Any]:
    return {
        "family": family,
        "higher_is_better": higher,
        "range": bounds,
        "unit": "ms" if bounds == [0, None] and family == "cost" and scope == "case" else "",
        "source": "Made up 2024, eq. 3",
        "package": "xaibench 0.1.0",
        "needs_mask": family == "co-localisation",
        "parameters": {"steps": 20},
        "scope": scope,
    }


def make_run(path: Path, plan: Plan = Plan()) -> RunFolder:
    """Make the whole folder; `broken` fails on half of the cases, `blind` does not apply to the model."""
    folder = RunFolder(path)
    folder.begin(info_of(METHODS, list(METRICS), plan.patients))
    cases = [_case(number, plan) for number in range(plan.patients)]
    for number, case in enumerate(cases):
        folder.save_case(case, target=case.label)
        for method in METHODS:
            folder.append(_explain(folder, method, case, number, plan))
    for method in METHODS:
        folder.append(_cohort_records(method))
    folder.save_cohort_explanations("stacked-feature-maps", {n: _stacked(cases, n) for n in (0, 1)})
    return folder


def _case(number: int, plan: Plan) -> Case:
    rng = np.random.default_rng(number)
    y, x = np.mgrid[: plan.size, : plan.size] / plan.size
    body = ((x - 0.5) / 0.45) ** 2 + ((y - 0.5) / 0.36) ** 2 < 1
    tumour = _tumour(number, plan)
    image = 300.0 * body + 250.0 * tumour + 20 * rng.normal(size=body.shape)
    mask = tumour if plan.masks and number != 1 else None  # one patient without annotation
    return Case(
        id=f"P{number:03d}-s{10 + number}",
        patient=f"P{number:03d}",
        image=image.astype(np.float32)[..., None],
        label=int(number % 4 == 3),
        mask=mask,
        spacing_mm=(0.8, 0.8),
        slice_index=10 + number,
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


def _explain(folder: RunFolder, method: str, case: Case, number: int, plan: Plan) -> list[Record]:
    names = [name for name, facts in METRICS.items() if facts[3] == "case"]
    blanks = [Record(case.id, case.patient, method, name, Status.FAILED) for name in names]
    if method == "broken" and number % 2:
        return [replace(r, reason="ValueError: the method returned NaN\nor infinite values") for r in blanks]
    if method == "blind":
        reason = "the method needs attention, which this model does not offer"
        return [replace(r, status=Status.NOT_APPLICABLE, reason=reason) for r in blanks]
    if method == "mask" and case.region is None:
        reason = "the case has no annotated region"
        return [replace(r, status=Status.NOT_APPLICABLE, reason=reason) for r in blanks]
    heatmap = _heatmap(method, case, number, plan)
    folder.save_explanation(method, case.id, Explanation(heatmap, case.label, 0.01, 1, 1))
    return [_scored(blank, heatmap, case, number) for blank in blanks]


def _scored(blank: Record, heatmap: np.ndarray, case: Case, number: int) -> Record:
    rng = np.random.default_rng([number, *f"{blank.method} {blank.metric}".encode()])
    if METRICS[blank.metric][0] == "co-localisation" and case.region is None:
        return replace(blank, status=Status.NOT_APPLICABLE, reason="the case has no annotated region")
    quality = QUALITY.get(blank.method, 0.2) + 0.05 * rng.normal()
    value = {
        "deletion-auc": 0.9 - 0.6 * quality,
        "insertion-auc": 0.2 + 0.6 * quality,
        "sensitivity-norm": abs(1 - quality),
        "latency": 4000 * (1.1 - quality) ** 4 + 1,
        "backward-passes": float(METHODS[blank.method] in ("cam", "generator")),
        **_located(heatmap, case.region),
    }[blank.metric]
    tied = 0.9 if blank.method == "lime" else 0.0
    details = {"normalised": value - 0.1, "tied_share": tied} if blank.metric == "deletion-auc" else {}
    return replace(blank, status=Status.OK, value=float(value), details=details)


def _located(heatmap: np.ndarray, mask: np.ndarray | None) -> dict[str, float]:
    if mask is None:
        return {}
    positive = np.maximum(heatmap, 0)
    mass = float(positive[mask].sum() / positive.sum()) if positive.any() else 0.0
    return {"relevance-mass": mass, "enrichment": mass / float(mask.mean())}


def _cohort_records(method: str) -> list[Record]:
    if method == "blind":
        reason = "the method needs attention, which this model does not offer"
        speed = Record("cohort", "cohort", method, "throughput", Status.NOT_APPLICABLE, reason=reason)
    else:
        speed = Record("cohort", "cohort", method, "throughput", Status.OK, 10.0 + len(method))
    single = "the method explains single images, not a cohort"
    consistency = [
        Record(f"class {name}", "cohort", method, "class-consistency", Status.OK, 0.8 + 0.1 * n)
        if method == "stacked-feature-maps"
        else Record(
            f"class {name}", "cohort", method, "class-consistency", Status.NOT_APPLICABLE, reason=single
        )
        for n, name in enumerate(CLASSES)
    ]
    return [speed, *consistency]


def _stacked(cases: Sequence[Case], label: int) -> CohortExplanation:
    chosen = [case for case in cases if case.label == label] or list(cases)
    image = np.mean([case.image for case in chosen], axis=0, dtype=np.float32)
    return CohortExplanation(image, image[..., 0] / image.max(), np.zeros(image.shape[:2], np.int64))
