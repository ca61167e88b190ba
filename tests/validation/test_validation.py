"""The model of known evidence is what it says, and a metric that is wrong does not pass."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from xaibench.api import Family, Measurement
from xaibench.harness import registry
from xaibench.harness.configured import Configured, configure
from xaibench.harness.declared import declared
from xaibench.harness.registry import Plugin
from xaibench.harness.spec import RunSpec
from xaibench.metrics.relevance_mass import RelevanceMass
from xaibench.validation.judge import judge
from xaibench.validation.ladders import LADDERS, displaced, half
from xaibench.validation.page import page
from xaibench.validation.worlds import BOX, TARGET, evidence, make_world

RANKED = [
    name
    for name in registry.entries("metrics")
    if registry.load("metrics", name).facts.ranked and registry.load("metrics", name).facts.family in LADDERS
]


def configured(name: str, made: Any) -> Configured:
    return Configured(Plugin("metrics", name, type(made), declared("metrics", type(made)), "test", ""), made)


def test_the_model_answers_for_the_brightest_square_and_for_nothing_else() -> None:
    world = make_world(0, 3)
    for case in world.cases:
        found = evidence(case.image) > 0
        assert found.sum() == BOX**2
        before = world.classifier.scores(case.image)[TARGET]
        without = np.where(found[..., None], 0.2, case.image).astype(np.float32)
        elsewhere = np.where(found[..., None], case.image, 0.2).astype(np.float32)
        assert before > 0.9
        assert world.classifier.scores(without)[TARGET] < 0.1
        assert world.classifier.scores(elsewhere)[TARGET] == pytest.approx(before, abs=1e-4)


def test_the_evidence_is_the_gradient_of_the_logit_times_the_image() -> None:
    world = make_world(1, 2)
    for case in world.cases:
        gradient = world.classifier.input_gradients(case.image, np.array(TARGET))
        linear = (gradient * case.image).sum(axis=-1)
        np.testing.assert_allclose(
            linear / linear.max(), evidence(case.image) / evidence(case.image).max(), atol=1e-4
        )


def test_half_of_the_evidence_is_half_in_its_place() -> None:
    image = make_world(0, 1).cases[0].image
    truth, part = evidence(image), half(image)
    assert part[truth > 0].sum() == pytest.approx(truth.sum() / 2, rel=0.2)
    assert part.sum() == pytest.approx(truth.sum(), rel=1e-5)
    assert displaced(image)[truth > 0].sum() == 0


@pytest.mark.parametrize("name", RANKED)
def test_every_ranked_metric_tells_truth_from_no_knowledge(name: str) -> None:
    found = judge(configure(registry.load("metrics", name), RunSpec(seed=0)), repeats=3, cases=3)
    assert found.passed or not found.tried, found


@dataclass(frozen=True)
class Swapped(RelevanceMass):
    """Relevance mass read the wrong way round."""

    higher_is_better: ClassVar = False


@dataclass(frozen=True)
class Shifted(RelevanceMass):
    """Relevance mass in a region that is half the image away."""

    def __call__(self, classifier: Any, case: Any, explanation: Any, explain: Any) -> Measurement:
        heatmap = np.roll(explanation.heatmap, (20, 24), axis=(0, 1))
        return Measurement(float(heatmap[case.region].sum() / max(heatmap.sum(), 1e-9)))


@dataclass(frozen=True)
class Constant:
    """Says the same of every map."""

    family: ClassVar = Family.FAITHFULNESS
    higher_is_better: ClassVar = True
    range: ClassVar = (0.0, 1.0)
    source: ClassVar = "nobody"
    chance: ClassVar = "0.5"

    def __call__(self, classifier: Any, case: Any, explanation: Any, explain: Any) -> Measurement:
        return Measurement(0.5)


@pytest.mark.parametrize("made", [Swapped(), Shifted(), Constant()])
def test_a_metric_that_is_wrong_does_not_pass(made: Any) -> None:
    found = judge(configured("wrong", made), repeats=3, cases=2)
    assert found.tried
    assert not found.passed


def test_costs_are_measured_and_not_judged() -> None:
    found = judge(configure(registry.load("metrics", "latency"), RunSpec()), repeats=2, cases=1)
    assert not found.tried
    assert "not judged" in found.reason
    assert "latency" in page([found], 2, 1)
