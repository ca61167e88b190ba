"""Metrics that are wrong in a known way, and how a test hands a metric to the judge."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from xaibench.api import Family, Measurement
from xaibench.harness import registry
from xaibench.harness.configured import Configured, configure
from xaibench.harness.declared import declared
from xaibench.harness.registry import Plugin
from xaibench.harness.spec import RunSpec
from xaibench.metrics.morf_lerf import MorfLerf
from xaibench.metrics.relevance_mass import RelevanceMass


def registered(name: str) -> Configured:
    return configure(registry.load("metrics", name), RunSpec(seed=0))


def unregistered(made: Any) -> Configured:
    return Configured(
        Plugin("metrics", "wrong", type(made), declared("metrics", type(made)), "test", ""), made
    )


def half_away(explanation: Any) -> Any:
    height, width = explanation.heatmap.shape
    return replace(explanation, heatmap=np.roll(explanation.heatmap, (height // 2, width // 2), axis=(0, 1)))


@dataclass(frozen=True)
class SwappedMass(RelevanceMass):
    """Relevance mass read the wrong way round."""

    higher_is_better: ClassVar = False


@dataclass(frozen=True)
class ShiftedMass(RelevanceMass):
    """Relevance mass of a map that is half the image away."""

    def __call__(self, classifier: Any, case: Any, explanation: Any, explain: Any) -> Measurement:
        return super().__call__(classifier, case, half_away(explanation), explain)


@dataclass(frozen=True)
class SwappedCurves(MorfLerf):
    """Area between the curves, read the wrong way round."""

    higher_is_better: ClassVar = False


@dataclass(frozen=True)
class ShiftedCurves(MorfLerf):
    """Area between the curves of a map that is half the image away."""

    def __call__(self, classifier: Any, case: Any, explanation: Any, explain: Any) -> Measurement:
        return super().__call__(classifier, case, half_away(explanation), explain)


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


@dataclass(frozen=True)
class BlindToTheModel(Constant):
    """Share of a map's positive mass where the image is unlike its mean: asks no model."""

    def __call__(self, classifier: Any, case: Any, explanation: Any, explain: Any) -> Measurement:
        unlike = np.abs(case.image[..., 0] - case.image.mean())
        mass = np.maximum(explanation.heatmap, 0)
        return Measurement(float((mass * unlike).sum() / (mass.sum() * unlike.max())))
