"""One case, heatmaps made by hand, explainers whose behaviour is known, and classifiers in plain NumPy."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.metrics.plain_classifier import Linear
from xaibench.api import Case, Explanation, Measurement

NO_MODEL = Linear(np.zeros((2, 2, 1)))  # the type wants one; these metrics do not ask it
Score = Callable[..., Measurement]


def case_of(
    image: np.ndarray,
    region: np.ndarray | None = None,
    name: str = "P001-s00",
    label: int = 0,
    spacing: tuple[float, ...] | None = None,
) -> Case:
    spacing = spacing or (1.0,) * (image.ndim - 1)
    case = Case(name, name.split("-")[0], image.astype(np.float32), (label,), None, spacing)
    # Of any size: the type check, on only under test, would refuse a misfit before the metric does.
    object.__setattr__(case, "region", region)
    return case


def explanation_of(heatmap: np.ndarray, target: int = 1, promised: float | None = None) -> Explanation:
    return Explanation(heatmap.astype(np.float32), target, 0.25, 5, 2, promised)


def never(
    images: np.ndarray | None = None,
    *,
    targets: np.ndarray | None = None,
    seeds: np.ndarray | None = None,
    classifier: object = None,
) -> np.ndarray:
    raise AssertionError("this metric has no reason to explain again")


@pytest.fixture
def localise() -> Score:
    """Scores a heatmap against a region by a metric that asks no model."""

    def score(
        metric: object, heatmap: np.ndarray, region: np.ndarray | None, name: str = "P001-s00"
    ) -> float:
        case = case_of(np.zeros((*heatmap.shape, 1)), region, name)
        return metric(NO_MODEL, case, explanation_of(heatmap), never).value

    return score
