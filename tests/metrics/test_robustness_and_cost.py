"""Sensitivity against its formula and known answers; costs."""

import numpy as np
import pytest

from tests.metrics.conftest import NO_MODEL, case_of, explanation_of, never
from tests.metrics.plain_classifier import Network, images
from xaibench.api import NotApplicable, XaibenchError
from xaibench.metrics.backward_passes import BackwardPasses
from xaibench.metrics.forward_passes import ForwardPasses
from xaibench.metrics.latency import Latency
from xaibench.metrics.sensitivity_norm import SensitivityNorm
from xaibench.metrics.throughput import Throughput


@pytest.fixture(scope="module")
def classifier():
    return Network()


def brightness(batch: np.ndarray) -> np.ndarray:
    return batch.mean(axis=-1)


def sensitivity(classifier, image, explain, **options) -> float:
    heatmap = explain(image[None])[0]
    return SensitivityNorm(**options)(classifier, case_of(image), explanation_of(heatmap), explain).value


def test_sensitivity_agrees_with_its_formula_written_plainly(classifier) -> None:
    image = images(classifier, 1)[0]
    seen = []

    def explain(batch: np.ndarray) -> np.ndarray:
        seen.append(batch)
        return brightness(batch) ** 2

    got = sensitivity(classifier, image, explain, draws=5)
    reference = (image[..., 0].astype(float)) ** 2
    expected = []
    for copy in seen[-1]:
        difference = total = 0.0
        for y in range(16):
            for x in range(16):
                difference += (float(copy[y, x, 0]) ** 2 - reference[y, x]) ** 2
                total += reference[y, x] ** 2
        expected.append((difference / total) ** 0.5)
    assert len(expected) == 5
    assert got == pytest.approx(sum(expected) / 5, rel=1e-4)


def test_trap_05_noise_is_symmetric_and_a_tenth_of_the_image_s_own_range(classifier) -> None:
    image = np.linspace(0, 5 / 0.98, 256, dtype=np.float32).reshape(16, 16, 1)
    image[0, 0] = 1000  # a single bright pixel changes nothing
    seen = []
    sensitivity(classifier, image, lambda batch: seen.append(batch) or brightness(batch), draws=40)
    noise = seen[-1] - image
    assert noise.std() == pytest.approx(0.5, rel=0.03)
    assert abs(noise.mean()) < 0.02


def test_trap_05_multiplying_a_map_changes_nothing(classifier) -> None:
    image = images(classifier, 1)[0]
    once = sensitivity(classifier, image, brightness)
    assert sensitivity(classifier, image, lambda batch: 100 * brightness(batch)) == pytest.approx(
        once, rel=1e-5
    )


def test_trap_01_an_explainer_that_ignores_the_image_scores_zero_however_the_draws_are_batched(
    classifier,
) -> None:
    fixed = np.random.default_rng(0).normal(size=(16, 16)).astype(np.float32)
    image = images(classifier, 1)[0]
    for draws in (1, 3, 17):
        assert sensitivity(classifier, image, lambda b: np.repeat(fixed[None], len(b), 0), draws=draws) == 0


def test_trap_02_another_case_changes_nothing(classifier) -> None:
    dark, bright = images(classifier, 1)[0], images(classifier, 1, seed=1)[0] * 1000
    before = sensitivity(classifier, dark, brightness)
    sensitivity(classifier, bright, brightness)
    assert sensitivity(classifier, dark, brightness) == before


def test_trap_06_each_case_has_its_own_value(classifier) -> None:
    values = {sensitivity(classifier, image, brightness) for image in images(classifier, 4)}
    assert len(values) == 4


def test_trap_04_all_zero_maps_are_robust_and_maps_that_appear_under_noise_have_no_relative_change(
    classifier,
) -> None:
    image = images(classifier, 1)[0]
    assert sensitivity(classifier, image, lambda batch: brightness(batch) * 0) == 0
    zero = explanation_of(np.zeros((16, 16)))
    with pytest.raises(NotApplicable, match="all zero"):
        SensitivityNorm()(classifier, case_of(image), zero, brightness)


def test_no_draws_is_one_sentence() -> None:
    with pytest.raises(XaibenchError, match="1 or more"):
        SensitivityNorm(draws=0)


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
