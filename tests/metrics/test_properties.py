"""What holds for every registered metric of a case, whatever the map, the region and the size of the image."""

import contextlib
import copy
import math
from importlib.metadata import entry_points

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrics.conftest import case_of, explanation_of
from tests.metrics.plain_classifier import Network
from xaibench.api import Explanation, Family, Measurement, NotApplicable

ALL = {entry.name: entry.load() for entry in entry_points(group="xaibench.metrics")}
OF_CASES = {
    name: cls
    for name, cls in ALL.items()
    if "__call__" in vars(cls) and cls.__module__.startswith("xaibench.")
}
EXEMPT: dict[tuple[str, str], str] = {
    ("completeness-gap", "scale"): "it compares the map's own sum with what the method promises it to be",
}
"""(metric, property) -> why it does not hold."""

SHAPES = [(1, 1), (1, 6), (9, 4), (7, 12)]
MAPS = {
    "signed": lambda rng, shape: rng.normal(size=shape),
    "tied": lambda rng, shape: rng.integers(-1, 2, shape),
    "constant": lambda rng, shape: np.full(shape, 0.7),
    "all zero": lambda rng, shape: np.zeros(shape),
    "all negative": lambda rng, shape: -rng.random(shape) - 0.1,
    "one pixel": lambda rng, shape: np.eye(1, math.prod(shape), math.prod(shape) // 2).reshape(shape),
}
REGIONS = {
    "some": lambda rng, shape: rng.random(shape) < 0.4,
    "one pixel": lambda rng, shape: np.eye(1, math.prod(shape)).reshape(shape) > 0,
    "full": lambda rng, shape: np.ones(shape, bool),
    "empty": lambda rng, shape: np.zeros(shape, bool),
    "none": lambda rng, shape: None,
}


class Echo:
    """Explains an image by its channel mean, so that the map of the unchanged image is known."""

    def __init__(self, image: np.ndarray, factor: float = 1.0) -> None:
        self.image, self.factor = image, np.float32(factor)

    def __call__(
        self,
        images: np.ndarray | None = None,
        *,
        targets: np.ndarray | None = None,
        seeds: np.ndarray | None = None,
        classifier: object = None,
    ) -> np.ndarray:
        images = self.image[None] if images is None else images
        copies = max(len(images), len(targets) if targets is not None else 1)
        return np.repeat(images, copies // len(images), axis=0).mean(axis=-1) * self.factor


def subject(seed: int, shape: tuple[int, ...], region: str = "some"):
    """A network with evidence in its image, and the case."""
    rng = np.random.default_rng(seed)
    classifier = Network((*shape, 1), seed=seed, gain=20)
    return classifier, case_of(rng.random((*shape, 1)), REGIONS[region](rng, shape))


def score(metric, classifier, case, heatmap: np.ndarray, factor: float = 1.0) -> Measurement | None:
    explanation = explanation_of(heatmap * np.float32(factor), int(classifier.scores(case.image).argmax()))
    try:
        return metric(classifier, case, explanation, Echo(case.image, factor))
    except NotApplicable:
        return None


@pytest.mark.parametrize("name", OF_CASES)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.integers(0, 999),
    st.sampled_from(SHAPES),
    st.sampled_from(list(MAPS)),
    st.sampled_from(list(REGIONS)),
)
def test_a_value_is_finite_and_within_its_range(name: str, seed, shape, kind, region) -> None:
    metric = OF_CASES[name]()
    classifier, case = subject(seed, shape, region)
    heatmap = MAPS[kind](np.random.default_rng(seed), shape)
    measured = score(metric, classifier, case, heatmap)
    if measured is not None:
        low, high = metric.range
        assert low - 1e-6 <= measured.value <= high + 1e-6
        assert np.isfinite([measured.value, *measured.details.values()]).all()
    if region in ("empty", "none") and metric.family == Family.COLOCALISATION:
        assert measured is None


@pytest.mark.parametrize("name", [name for name in OF_CASES if (name, "scale") not in EXEMPT])
@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(0, 999), st.sampled_from(list(MAPS)), st.sampled_from([1e-3, 0.25, 1000.0]))
def test_a_positive_factor_is_no_evidence(name: str, seed: int, kind: str, factor: float) -> None:
    metric = OF_CASES[name]()
    classifier, case = subject(seed, (9, 7))
    heatmap = MAPS[kind](np.random.default_rng(seed), (9, 7)).astype(np.float32)
    plain, scaled = (score(metric, classifier, case, heatmap, by) for by in (1.0, factor))
    assert (plain is None) == (scaled is None)
    if plain and scaled:
        assert scaled.value == pytest.approx(plain.value, rel=1e-4, abs=1e-5)
        assert scaled.details == pytest.approx(plain.details, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("name", OF_CASES)
def test_other_cases_and_a_second_call_change_nothing(name: str) -> None:
    metric = OF_CASES[name]()
    classifier, case = subject(1, (9, 7))
    heatmap = MAPS["tied"](np.random.default_rng(1), (9, 7))
    first = score(metric, classifier, case, heatmap)
    other = case_of(case.image * 1000, ~case.region, "P002-s00")
    score(metric, classifier, other, heatmap * 50)
    assert score(metric, classifier, case, heatmap) == first


@pytest.mark.parametrize("name", OF_CASES)
def test_case_and_heatmap_are_left_as_they_were(name: str) -> None:
    classifier, case = subject(1, (9, 7))
    explanation: Explanation = explanation_of(MAPS["signed"](np.random.default_rng(1), (9, 7)))
    before = copy.deepcopy((case.image, case.region, explanation.heatmap))
    with contextlib.suppress(NotApplicable):
        OF_CASES[name]()(classifier, case, explanation, Echo(case.image))
    for was, now in zip(before, (case.image, case.region, explanation.heatmap), strict=True):
        np.testing.assert_array_equal(was, now)


def test_every_exemption_is_of_a_registered_metric() -> None:
    assert {name for name, _ in EXEMPT} <= set(OF_CASES) | {"completeness-gap"}
