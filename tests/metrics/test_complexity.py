"""Complexity against plain sums, closed forms and known distributions."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrics.conftest import NO_MODEL, case_of, explanation_of, never
from xaibench.metrics.effective_area import EffectiveArea
from xaibench.metrics.entropy import Entropy
from xaibench.metrics.gini import Gini


def score(metric, heatmap: np.ndarray):
    return metric(NO_MODEL, case_of(np.zeros((*heatmap.shape, 1))), explanation_of(heatmap), never)


def gini_plainly(values: list[float]) -> float:
    """Half the mean absolute difference of all pairs over the mean."""
    count = len(values)
    return sum(abs(a - b) for a in values for b in values) / (2 * count**2) / (sum(values) / count)


def area_plainly(values: list[float]) -> float:
    taken, pixels = 0.0, 0
    for value in sorted(values, reverse=True):
        if taken >= 0.9 * sum(values) - 1e-9:
            break
        taken, pixels = taken + value, pixels + 1
    return pixels / len(values)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.floats(0, 1))
def test_each_agrees_with_a_plain_sum(seed: int, zeros: float) -> None:
    rng = np.random.default_rng(seed)
    heatmap = (rng.normal(size=(6, 5)) * (rng.random((6, 5)) >= zeros)).astype(np.float32)
    heatmap[0, 0] = 1.5
    values = [abs(float(value)) for value in heatmap.ravel()]
    shares = [value / sum(values) for value in values if value]
    entropy = -sum(share * math.log(share) for share in shares)
    assert score(Gini(), heatmap).value == pytest.approx(gini_plainly(values), abs=1e-6)
    assert score(Entropy(), heatmap).value == pytest.approx(entropy, abs=1e-6)
    assert score(Entropy(), heatmap).details["evenness"] == pytest.approx(entropy / math.log(30), abs=1e-6)
    assert score(EffectiveArea(), heatmap).value == pytest.approx(area_plainly(values))


@pytest.mark.parametrize("level", [1.0, 0.0, -3.0])
def test_trap_04_maps_without_preference_are_spread_evenly(level: float) -> None:
    heatmap = np.full((10, 10), level)
    assert score(Gini(), heatmap).value == pytest.approx(0, abs=1e-12)
    assert score(Entropy(), heatmap).value == pytest.approx(math.log(100))
    assert score(EffectiveArea(), heatmap).value == pytest.approx(0.9)


def test_a_single_pixel_is_as_sparse_as_can_be() -> None:
    heatmap = np.zeros((10, 10))
    heatmap[4, 5] = -7
    assert score(Gini(), heatmap).value == pytest.approx(0.99)
    assert score(Entropy(), heatmap).value == 0
    assert score(EffectiveArea(), heatmap).value == 0.01


def test_random_maps_score_what_the_docstrings_say() -> None:
    rng = np.random.default_rng(0)
    uniform, normal = rng.random((300, 300)), rng.normal(size=(300, 300))
    assert score(Gini(), uniform).value == pytest.approx(1 / 3, abs=0.005)
    assert score(Gini(), normal).value == pytest.approx(0.41, abs=0.01)
    assert score(Entropy(), uniform).value == pytest.approx(math.log(90000) - 0.19, abs=0.01)
    assert score(EffectiveArea(), uniform).value == pytest.approx(0.68, abs=0.01)


def test_an_image_of_one_pixel_has_values_too() -> None:
    one = np.full((1, 1), 2.0)
    assert score(Gini(), one).value == 0
    assert score(Entropy(), one).value == 0
    assert score(Entropy(), one).details == {}
    assert score(EffectiveArea(), one).value == 1
