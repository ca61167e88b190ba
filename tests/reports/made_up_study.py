"""A made-up run of a cross-validated model: training, simulated images with all figures, the random control."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.reports.made_up import CLASSES, COHORT_METRICS, METHODS, Plan, keep, make_run
from xaibench.api import CohortExplanation, Record, Status
from xaibench.harness.store.folder import RunFolder
from xaibench.harness.store.run_info import CaseInfo
from xaibench.models.scoring import evaluation

GENERATOR, RANDOM = "stacked-feature-maps", "stacked-random-maps"
PATIENTS = 12
PROBABILITIES = np.array([0.1, 0.2, 0.7, 0.9, 0.2, 0.1, 0.3, 0.8, 0.1, 0.2, 0.3, 0.4])
"""Of 12 patients, every fourth recurrent: P002 and P011 are wrong."""
NULL = [0.25, 0.5, 0.5, 0.75]
BEATEN = {"null_mean": 0.4, "null_low": 0.1, "null_high": 0.7, "null_predicted": 0.2, "null_p": 0.02}
"""What stands beside a probability that shuffled labels seldom reach."""


def training_of_made_up(permutations: int = 4, fine_tune: int = 0) -> dict[str, Any]:
    """Training section of run.json, with real evaluations of made-up probabilities."""
    labels = (np.arange(PATIENTS) % 4 == 3).astype(np.int64)
    folds = np.arange(PATIENTS) // 6

    def part(chosen: np.ndarray) -> dict[str, Any]:
        units = np.flatnonzero(chosen)
        slices = units.repeat(2)
        return {
            "patient": evaluation(labels[units], PROBABILITIES[units], units, 0),
            "slice": evaluation(labels[slices], PROBABILITIES[slices], slices, 0),
        }

    plan = {"backbone": "compact", "weights": "pretext", "folds": 2, "fine_tune": fine_tune, "seed": 0}
    return {
        "settings": {
            "plan": plan,
            "data": {"hash": "h" * 64, "patients": PATIENTS, "positive": 3, "slices": 2 * PATIENTS},
            "backbone": {"origin": "pretext task", "hash": "b" * 64},
            "class imbalance": "each class weighs alike",
        },
        "metrics": {
            "pooled": part(np.ones(PATIENTS, bool)),
            "folds": [part(folds == fold) for fold in range(2)],
            "shuffle_test": _shuffled(permutations),
        },
        "curves": [
            {"training": [0.7, 0.3, 0.2 + 0.1 * f], "held_out": [0.7, 0.5, 0.4 + 0.1 * f]} for f in (0, 1)
        ],
    }


def _shuffled(permutations: int) -> dict[str, Any]:
    test: dict[str, Any] = {"permutations": permutations, "headline": "accuracy"}
    for name, observed in (("accuracy", 10 / 12), ("balanced_accuracy", 0.77), ("auc", 0.8)):
        null = NULL[:permutations]
        if null:
            figures = {
                "null_mean": float(np.mean(null)),
                "null_sd": float(np.std(null)),
                "null_max": max(null),
            }
            test[name] = {"observed": observed, "p": 1 / (1 + len(null)), "null": null, **figures}
    return test


def make_study(path: Path) -> RunFolder:
    """Make a run of a trained model; simulated images of both classes, by the generator and by random maps."""
    plan = Plan(patients=PATIENTS, methods={**METHODS, RANDOM: "control"})
    folder = make_run(path, plan, record={"training": training_of_made_up()})
    cases = folder.info().cohort.cases
    made = folder.cohort_explanations(GENERATOR) or {}
    for method in (GENERATOR, RANDOM):
        for name in CLASSES:
            keep(folder, figures(method, name))
        classes = {n: _with_sources(explanation, cases, n) for n, explanation in made.items()}
        keep(folder, [], classes=classes, method=method)
    return folder


def _with_sources(
    explanation: CohortExplanation, cases: tuple[CaseInfo, ...], label: int
) -> CohortExplanation:
    """Give the rows of the image to the cases of the class in turn, its first two to nobody; a block is tumour."""
    givers = [index for index, case in enumerate(cases) if case.labels == (label,)]
    rows = np.array([-1, -1, *(givers[row % len(givers)] for row in range(len(explanation.map) - 2))])
    region = np.zeros(explanation.map.shape, np.float32)
    region[8:14, 9:15] = 1
    return replace(explanation, sources=np.repeat(rows[:, None], len(rows), axis=1), region=region)


def figures(method: str, name: str) -> list[Record]:
    """Records of one simulated image."""
    value = 0.9 if method == GENERATOR else 0.6
    values: dict[str, tuple[float, Mapping[str, float]]] = {
        "class-consistency": (value, {"predicted": 1.0, "low": value - 0.1, "high": value + 0.05, **BEATEN}),
        "cohort-colocalisation": (0.4, {"area": 0.1, "enrichment": 4.0}),
        "bootstrap-stability": (0.7, {"low": 0.6, "high": 0.8}),
    }
    return [
        Record(
            f"class {name}",
            "cohort",
            method,
            metric,
            Status.OK,
            value=values[metric][0],
            details=values[metric][1],
        )
        for metric in COHORT_METRICS
    ]
