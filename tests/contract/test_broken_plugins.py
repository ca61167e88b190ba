"""The contract finds what is broken: every check fails for a plugin that breaks just that promise."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from tests.harness.plugins import Bad, Brightness, Drawn, Mean
from xaibench.api import Measurement
from xaibench.classifiers.keras import KerasClassifier
from xaibench.harness.cell import Entry
from xaibench.harness.contract.checks import check
from xaibench.harness.contract.trial import put_on_trial
from xaibench.harness.registry import Plugin
from xaibench.models.tiny import tiny_classifier


@pytest.fixture(scope="module")
def classifier() -> KerasClassifier:
    return KerasClassifier(tiny_classifier(8, 10))


def problems(plugin: Any, classifier: KerasClassifier) -> dict[str, str]:
    base = put_on_trial(Plugin("x", Brightness, "test"), classifier)
    trial = replace(base, entry=Entry("x", plugin))
    return {f.check: f.problem for f in check(trial) if f.problem}


def method(body: Callable[[np.ndarray], np.ndarray]) -> Any:
    @dataclass(frozen=True)
    class Made(Brightness):
        def __call__(self, classifier: Any, images: np.ndarray, targets: np.ndarray) -> np.ndarray:
            return body(images)

    return Made()


def metric(body: Callable[..., float], **facts: Any) -> Any:
    @dataclass(frozen=True)
    class Made(Mean):
        needs_mask: ClassVar = facts.get("needs_mask", False)
        range: ClassVar = facts.get("range", (-np.inf, np.inf))

        def __call__(self, classifier: Any, case: Any, explanation: Any, explain: Any) -> Measurement:
            return Measurement(body(case, explanation.heatmap))

    return Made()


def spoil(images: np.ndarray) -> np.ndarray:
    images += 1
    return images.mean(axis=-1)


@pytest.mark.parametrize(
    ("body", "check"),
    [
        (lambda x: x.mean(axis=-1)[:, 1:], "gives one finite heatmap an image"),
        (lambda x: x.mean(axis=-1) * np.nan, "gives one finite heatmap an image"),
        (lambda x: x.mean(axis=-1) / x.max(), "explains a case alone as in a batch"),
        (lambda x: x.mean(axis=-1) / x.max(), "another image does not scale the map"),
        (lambda x: x.mean(axis=-1) + np.random.random(x.shape[:3]), "gives the same map twice"),  # noqa: NPY002
        (spoil, "leaves its inputs unchanged"),
    ],
)
def test_a_method_that_breaks_a_promise_is_found(body: Any, check: str, classifier: KerasClassifier) -> None:
    assert check in problems(method(body), classifier)


@pytest.mark.parametrize(
    ("made", "check"),
    [
        (Bad("nan"), "value is finite and within its range"),
        (metric(lambda c, m: float(m.sum()), range=(0.0, 1.0)), "value is finite and within its range"),
        (metric(lambda c, m: float(np.abs(m).sum())), "scaling a heatmap changes nothing"),
        (metric(lambda c, m: float(np.random.random())), "gives the same value twice"),  # noqa: NPY002
        (metric(lambda c, m: float(np.sign(m).mean()), needs_mask=True), "a missing mask is not applicable"),
    ],
)
def test_a_metric_that_breaks_a_promise_is_found(made: Any, check: str, classifier: KerasClassifier) -> None:
    assert check in problems(made, classifier)


def test_what_is_no_frozen_dataclass_is_found(classifier: KerasClassifier) -> None:
    class Plain:
        family = "test"
        needs: ClassVar = frozenset()
        source = "nobody"

        def __call__(self, classifier: Any, images: np.ndarray, targets: np.ndarray) -> np.ndarray:
            return images.mean(axis=-1)

    assert "is a frozen dataclass" in problems(Plain(), classifier)


def test_presets_of_unknown_name_or_field_are_found(classifier: KerasClassifier) -> None:
    @dataclass(frozen=True)
    class Odd(Brightness):
        presets: ClassVar = {"smoke": {"masks": 3}}

    assert "presets name its own fields" in problems(Odd(), classifier)


def test_well_behaved_plugins_have_no_problem(classifier: KerasClassifier) -> None:
    assert problems(Brightness(), classifier) == {}
    assert problems(Drawn(), classifier) == {}
    assert problems(metric(lambda c, m: float(np.sign(m).mean())), classifier) == {}
