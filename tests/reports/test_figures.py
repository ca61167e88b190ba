"""Plots stay readable and say in words what they show."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.reports.records import results_of
from xaibench.reports.pictures.figures import TICKS, _scale, panel
from xaibench.reports.scoring.cell import Score


def times(values: list[float]) -> list[Score]:
    """Scores of latency, a method a value."""
    run = results_of({f"m{n}": {"latency": [value]} for n, value in enumerate(values)})
    return [score for score in run.scores.values() if score.metric == "latency"]


@pytest.mark.parametrize("values", [[1.0, 1e5], [0.003, 4e6], [0.0, 1.0, 1e7], [0.0, 0.5, 80.0, 3e4]])
def test_a_logarithmic_axis_has_few_labels_that_do_not_touch(values: list[float]) -> None:
    axes = Figure(figsize=(2.2, 1.5)).add_axes(
        (0.0, 0.3, 1.0, 0.7)
    )  # what the names leave of a panel's width
    axes.tick_params(labelsize=8.5)
    _scale(axes, (0.0, None), times(values))
    axes.plot(values, range(len(values)))
    axes.figure.draw_without_rendering()
    low, high = axes.get_xlim()
    labels = [t for t in axes.get_xticklabels() if low <= t.get_position()[0] <= high]
    boxes = sorted((t.get_window_extent().x0, t.get_window_extent().x1) for t in labels)
    assert 1 <= len(labels) <= TICKS + 1
    assert (np.diff(np.ravel(boxes)) > 0).all()


@pytest.mark.parametrize(
    ("bounds", "values", "scale"),
    [
        ((0.0, None), [1.0, 9.0], "linear"),
        ((0.0, None), [1.0, 11.0], "log"),
        ((0.0, None), [0.0, 1.0, 11.0], "symlog"),
        ((0.0, 1.0), [0.01, 1.0], "linear"),
        ((None, None), [0.1, 10.0], "linear"),
    ],
)
def test_what_has_no_upper_bound_is_logarithmic_beyond_a_factor_of_ten(
    bounds: tuple[float | None, float | None], values: list[float], scale: str
) -> None:
    axes = Figure().add_subplot()
    _scale(axes, bounds, times(values))
    assert axes.get_xscale() == scale


def test_a_panel_says_its_values_in_words() -> None:
    run = results_of({"a": {"latency": [5.0]}, "$b": {"latency": [None]}})
    scores = [run.scores[name, "latency"] for name in ("a", "$b")]
    found = panel(run.info, "latency", scores)
    assert found.alt == "Dots with intervals of latency, lower is better: a 5, $b failed."
    assert found == panel(run.info, "latency", scores)
