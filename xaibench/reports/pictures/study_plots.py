"""Plots of the study page: reliability, the null of the shuffle test, training curves."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from xaibench.reports.pages.training import MEASURES, Training
from xaibench.reports.pictures.plotting import ACCENT, GREY, PALE, WARM, Plot, drawn, dress
from xaibench.reports.text import brief, listed, plural

FOLDS = ("#0b5fa5", "#c2570c", "#2a7d4f", "#8a4fbf", "#b08900", "#1f2933", "#c43e6e")
HIGHEST = 40
"""Most bins a histogram has."""


def reliability(training: Training) -> Plot:
    """Observed share against mean predicted probability, in bins of equal width."""
    parts = {unit: training.metrics["pooled"][unit]["calibration"] for unit in ("patient", "slice")}

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=PALE, linewidth=0.8, linestyle=(0, (3, 2)), zorder=0)
        for (unit, part), (colour, marker) in zip(parts.items(), ((ACCENT, "o"), (WARM, "s")), strict=True):
            x, y = ([row[key] for row in part["bins"]] for key in ("predicted", "observed"))
            axes.plot(x, y, marker + "-", color=colour, markersize=5, linewidth=1.2, label=f"{unit}s")
        axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal", ylabel="observed share")
        dress(axes, "Reliability", "mean predicted probability", "both")
        axes.legend(frameon=False, loc="upper left")

    said = "; ".join(f"{unit}s: {_bins(part['bins'])}" for unit, part in parts.items())
    scores = listed([f"{brief(part['brier'])} for {unit}s" for unit, part in parts.items()])
    caption = f"On the dashed line, probabilities mean what they say. Brier score: {scores}."
    return Plot(drawn((3.6, 3.5), draw), f"Observed share by predicted probability of {said}.", caption)


def _bins(rows: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(
        f"{brief(row['observed'])} observed at {brief(row['predicted'])} ({row['n']})" for row in rows
    )


def null_histograms(training: Training) -> list[Plot]:
    """For each measure, its values under shuffled labels, and a line where the true labels' lies."""
    return [_null(MEASURES[name], test, training.patients["n"]) for name, test in training.shuffles.items()]


def _null(title: str, test: Mapping[str, Any], patients: int) -> Plot:
    width = 1 / min(patients, HIGHEST)  # accuracies are multiples of one patient: a bin for each

    def draw(axes: Axes) -> None:
        edges = np.arange(-0.5 * width, 1 + width, width)
        axes.hist(test["null"], bins=edges.tolist(), color=PALE, edgecolor="white", linewidth=0.4)
        axes.axvline(test["observed"], color=ACCENT, linewidth=2)
        axes.set(xlim=(-0.03, 1.03), ylabel="shuffles")
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        dress(
            axes, f"{title}: p = {brief(test['p'])}", "blue line: true labels; grey: shuffled labels", "both"
        )

    alt = (
        f"Histogram of the {title} with shuffled labels: mean {brief(test['null_mean'])}, highest "
        f"{brief(test['null_max'])}; with the true labels {brief(test['observed'])}."
    )
    return Plot(drawn((3.6, 2.5), draw), alt)


def curve_plots(training: Training) -> list[Plot]:
    """Cross-entropy in the course of training, a line a fold: on its training patients, and on those held out."""
    along = "epoch" if training.settings["plan"]["fine_tune"] else "step"
    top = max(value for curve in training.curves for values in curve.values() for value in values)
    titles = {"training": "Training patients", "held_out": "Held-out patients"}
    return [_curves(training, key, title, along, 1.05 * top) for key, title in titles.items()]


def _curves(training: Training, key: str, title: str, along: str, top: float) -> Plot:
    lines = [curve[key] for curve in training.curves]

    def draw(axes: Axes) -> None:
        for number, line in enumerate(lines):
            colour = FOLDS[number] if number < len(FOLDS) else GREY
            axes.plot(range(1, len(line) + 1), line, color=colour, linewidth=1.3, label=f"fold {number}")
        axes.set(ylim=(0, top), ylabel="cross-entropy")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        dress(axes, title, along, "both")
        axes.legend(frameon=False, ncols=2)

    ends = [line[-1] for line in lines]
    alt = (
        f"Cross-entropy of the {title.lower()} by {along}, {plural(len(lines), 'fold')}: "
        f"at the end {brief(min(ends))} to {brief(max(ends))}."
    )
    return Plot(drawn((4.4, 2.9), draw), alt)
