"""Costs are those of the explanation, and a throughput is that of one batch."""

from pathlib import Path

import numpy as np
import pytest

from tests.metrics.conftest import NO_MODEL, case_of, explanation_of, never
from xaibench.api import NotApplicable
from xaibench.metrics.backward_passes import BackwardPasses
from xaibench.metrics.forward_passes import ForwardPasses
from xaibench.metrics.latency import Latency
from xaibench.metrics.peak_memory import PeakMemory
from xaibench.metrics.throughput import Throughput

MIB = 2**20


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


def takes(mib: int) -> np.ndarray:
    """Maps of some cases, made with so much memory that is given back at once."""
    np.ones(mib * MIB, np.uint8).sum()
    return np.zeros((1, 4, 4), np.float32)


def test_peak_memory_is_what_one_explanation_takes_at_most() -> None:
    case = case_of(np.zeros((4, 4, 1)))
    little, much = (
        PeakMemory().score_batch([case], lambda given, mib=mib: takes(mib)).value for mib in (64, 256)
    )
    assert little == pytest.approx(64, abs=8)
    assert much == pytest.approx(256, abs=8)


def test_peak_memory_explains_one_case_only() -> None:
    asked = []
    cases = [case_of(np.zeros((4, 4, 1)), name=f"P{i}-s00") for i in range(3)]
    PeakMemory().score_batch(cases, lambda given: asked.append(given) or takes(1))
    assert asked == [cases[:1]]


def test_peak_memory_is_not_applicable_where_no_system_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xaibench.metrics.peak_memory.FORGET", Path("/nowhere/clear_refs"))
    with pytest.raises(NotApplicable, match="does not tell the highest memory"):
        PeakMemory().score_batch([case_of(np.zeros((4, 4, 1)))], lambda given: takes(1))
