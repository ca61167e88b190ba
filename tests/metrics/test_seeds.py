"""Draws are of the run's seed and of the case, as seen in the metrics' own answers (trap 37)."""

import dataclasses

import numpy as np
import pytest

from tests.metrics.conftest import case_of, explanation_of
from tests.metrics.plain_classifier import Linear
from tests.metrics.test_properties import OF_CASES, Echo
from xaibench.api import Measurement

ELSEWHERE = {
    "mprt": "needs a model with layers: test_randomisation",
    "random-logit": "needs three classes: test_randomisation",
    "rerun-consistency": "needs a method that draws: test_robustness",
    "slice-hit": "needs a volume: test_localisation",
}
"""Seeded metrics that the one subject here cannot serve -> why, and where their seed is tested."""

SEEDED = {
    name: cls
    for name, cls in OF_CASES.items()
    if "seed" in {field.name for field in dataclasses.fields(cls)} and name not in ELSEWHERE
}
DRAWS_FOR_TIES = {
    "deletion-auc",
    "destroying-area",
    "dice",
    "hausdorff-95",
    "insertion-auc",
    "iou",
    "kappa",
    "morf-lerf",
    "relevance-rank",
    "sufficient-area",
}
RNG = np.random.default_rng(0)
IMAGE = RNG.random((20, 16, 1)).astype(np.float32)
IMAGE[0, 0] = 0
WEIGHTS = np.zeros((20, 16, 1))
WEIGHTS[5:12, 3:12] = RNG.random((7, 9, 1))
REGION = WEIGHTS[..., 0] > 0.2


def measure(name: str, heatmap: np.ndarray, seed: int = 0, case: str = "P001-s00") -> Measurement:
    options = {"seed": seed}
    if "baseline" in {field.name for field in dataclasses.fields(SEEDED[name])}:
        options["baseline"] = "black"
    subject = case_of(IMAGE, REGION, case)
    classifier = Linear(WEIGHTS, -6)
    return SEEDED[name](**options)(classifier, subject, explanation_of(heatmap), Echo(IMAGE))


@pytest.mark.parametrize("name", sorted(DRAWS_FOR_TIES))
def test_ties_are_drawn_by_the_seed_and_by_the_case(name: str) -> None:
    flat = np.ones((20, 16))
    by_seed = {measure(name, flat, seed=seed).value for seed in range(16)}
    by_case = {measure(name, flat, case=f"P{number:03d}-s00").value for number in range(16)}
    assert min(len(by_seed), len(by_case)) > 1
    assert measure(name, flat, 3, "P002-s00").value == measure(name, flat, 3, "P002-s00").value


@pytest.mark.parametrize("name", sorted(SEEDED))
def test_trap_37_some_answer_depends_on_the_seed_and_on_the_case(name: str) -> None:
    heatmap = RNG.normal(size=(20, 16))
    by_seed = {str(measure(name, heatmap, seed=seed)) for seed in range(8)}
    by_case = {str(measure(name, heatmap, case=f"P{number:03d}-s00")) for number in range(8)}
    assert min(len(by_seed), len(by_case)) > 1


@pytest.mark.parametrize("name", sorted(SEEDED))
def test_nothing_is_drawn_from_the_global_generators(name: str) -> None:
    state = np.random.get_state()  # noqa: NPY002 - the point of the test
    measure(name, np.ones((20, 16)))
    assert all(np.array_equal(a, b) for a, b in zip(state, np.random.get_state(), strict=True))  # noqa: NPY002
