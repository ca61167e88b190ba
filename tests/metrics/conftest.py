"""One case, heatmaps made by hand, and explainers whose behaviour is known."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.closed_form import linear
from xaibench.api import Case, Explanation, Measurement

NO_MODEL = linear(np.zeros((2, 2, 1)))  # the type wants one; these metrics do not ask it
Score = Callable[..., Measurement]


def case_of(image: np.ndarray, mask: np.ndarray | None = None, name: str = "P001-s00") -> Case:
    case = Case(name, name.split("-")[0], image.astype(np.float32), 0, None, (1.0, 1.0), 0)
    object.__setattr__(
        case, "mask", mask
    )  # of any size: the type check, on only under test, would refuse it first
    return case


def explanation_of(heatmap: np.ndarray, target: int = 1) -> Explanation:
    return Explanation(heatmap.astype(np.float32), target, 0.25, 5, 2)


def never(_images: np.ndarray) -> np.ndarray:
    raise AssertionError("this metric has no reason to explain again")


@pytest.fixture
def localise() -> Score:
    """Scores a heatmap against a mask by a metric that asks no model."""

    def score(metric: object, heatmap: np.ndarray, mask: np.ndarray | None, name: str = "P001-s00") -> float:
        case = case_of(np.zeros((*heatmap.shape, 1)), mask, name)
        return metric(NO_MODEL, case, explanation_of(heatmap), never).value

    return score
