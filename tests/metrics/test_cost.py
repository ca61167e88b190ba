"""Costs are those of the explanation, and a throughput is that of one batch."""

import numpy as np
import pytest

from tests.metrics.conftest import NO_MODEL, case_of, explanation_of, never
from xaibench.metrics.backward_passes import BackwardPasses
from xaibench.metrics.forward_passes import ForwardPasses
from xaibench.metrics.latency import Latency
from xaibench.metrics.throughput import Throughput


def test_costs_are_those_of_the_explanation() -> None:
    case, explanation = case_of(np.zeros((4, 4, 1))), explanation_of(np.ones((4, 4)))
    assert Latency()(NO_MODEL, case, explanation, never).value == 250
    assert ForwardPasses()(NO_MODEL, case, explanation, never).value == 5
    assert BackwardPasses()(NO_MODEL, case, explanation, never).value == 2


def test_throughput_is_cases_over_seconds_of_one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 12.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    batches = []
    cases = [case_of(np.zeros((4, 4, 1)), name=f"P{i}-s00") for i in range(6)]
    measured = Throughput().score_batch(
        cases, lambda given: batches.append(given) or np.zeros((6, 4, 4), np.float32)
    )
    assert measured.value == 3
    assert batches == [cases]
