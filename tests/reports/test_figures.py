"""Plots stay readable and say in words what they show."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.reports.made_up import info_of
from tests.reports.test_scores import records_of
from xaibench.reports.pictures.figures import TICKS, _scale, panel
from xaibench.reports.scoring.scores import scores_of


@pytest.mark.parametrize("values", [[1.0, 1e5], [0.003, 4e6], [0.0, 1.0, 1e7], [0.0, 0.5, 80.0, 3e4]])
def test_a_logarithmic_axis_has_few_labels_that_do_not_touch(values: list[float]) -> None:
    info = info_of({f"m{n}": "cam" for n in range(len(values))}, ["latency"], 1)
    records = [r for n, v in enumerate(values) for r in records_of("latency", [v], f"m{n}")]
    axes = Figure(figsize=(2.2, 1.5)).add_axes(
        (0.0, 0.3, 1.0, 0.7)
    )  # what the names leave of a panel's width
    axes.tick_params(labelsize=8.5)
    scores = list(scores_of(info, records).values())
    _scale(axes, [0.0, None], [s for s in scores if s.metric == "latency"])
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
        ([0.0, None], [1.0, 9.0], "linear"),
        ([0.0, None], [1.0, 11.0], "log"),
        ([0.0, None], [0.0, 1.0, 11.0], "symlog"),
        ([0.0, 1.0], [0.01, 1.0], "linear"),
        ([None, None], [0.1, 10.0], "linear"),
    ],
)
def test_what_has_no_upper_bound_is_logarithmic_beyond_a_factor_of_ten(
    bounds: list[float | None], values: list[float], scale: str
) -> None:
    info = info_of({f"m{n}": "cam" for n in range(len(values))}, ["latency"], 1)
    records = [r for n, v in enumerate(values) for r in records_of("latency", [v], f"m{n}")]
    axes = Figure().add_subplot()
    _scale(axes, bounds, [s for s in scores_of(info, records).values() if s.metric == "latency"])
    assert axes.get_xscale() == scale


def test_a_panel_says_its_values_in_words() -> None:
    info = info_of({"a": "cam", "$b": "control"}, ["latency"], 1)
    records = records_of("latency", [5.0], "a") + records_of("latency", [None], "$b")
    scores = scores_of(info, records)
    found = panel(info, "latency", [scores["a", "latency"], scores["$b", "latency"]])
    assert found.alt == "Dots with intervals of latency, lower is better: a 5, $b failed."
    assert found == panel(info, "latency", [scores["a", "latency"], scores["$b", "latency"]])
