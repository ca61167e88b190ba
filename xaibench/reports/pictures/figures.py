"""Dot-and-interval plots: one small panel a metric, methods as rows, as SVG pictures for a page."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

from xaibench.harness.store.run_info import MetricInfo, RunInfo, Scope
from xaibench.reports.pictures.plotting import ACCENT, GREY, PALE, Plot, drawn, dress, literal
from xaibench.reports.scoring.cell import Outcome, Score
from xaibench.reports.scoring.families import metrics_by_family
from xaibench.reports.scoring.leaderboard import Leaderboard
from xaibench.reports.scoring.scores import Scores
from xaibench.reports.text import brief

TICKS = 3
"""Most powers of ten named on a logarithmic axis; more would run into each other."""


def panels(info: RunInfo, scores: Scores, board: Leaderboard) -> dict[str, list[Plot]]:
    """Plots by family, of the metrics that stand for a fact; methods stand in the order of the leaderboard."""
    return {
        family: [
            panel(info, metric, _shown(info, scores, board, metric)) for metric in _telling(info, metrics)
        ]
        for family, metrics in metrics_by_family(info).items()
    }


def _telling(info: RunInfo, metrics: Sequence[str]) -> Sequence[str]:
    """Ranked metrics of a family; all where none is ranked. The table of values has the others."""
    return [metric for metric in metrics if info.metrics[metric].ranked] or metrics


def _shown(info: RunInfo, scores: Scores, board: Leaderboard, metric: str) -> list[Score]:
    """Scores of all methods; of a cohort metric, which few methods have, only those it applies to."""
    cells = [scores[line.method, metric] for line in board.lines]
    if info.metrics[metric].scope is not Scope.CLASS:
        return cells
    return [score for score in cells if score.status is not Outcome.NOT_APPLICABLE]


def panel(info: RunInfo, metric: str, scores: Sequence[Score]) -> Plot:
    """Plot one metric: a dot and its interval a method, hollow where cells are missing."""
    facts = info.metrics[metric]

    def draw(axes: Axes) -> None:
        _scale(axes, facts.range, scores)
        for row, score in enumerate(scores):
            _draw(axes, row, score, info.methods[score.method].is_control)
        _dress(axes, metric, facts, scores)

    src = drawn((3.7, 0.95 + 0.21 * len(scores)), draw)
    return Plot(src, _alt(metric, facts, scores))


def _scale(axes: Axes, bounds: tuple[float | None, float | None], scores: Sequence[Score]) -> None:
    """What has no upper bound may differ by powers of ten; some values are zero, which a logarithm cannot show."""
    low, high = bounds
    values = [score.value for score in scores if score.value is not None]
    positive = [value for value in values if value > 0]
    if low is None or low < 0 or high is not None or not positive or max(positive) <= 10 * min(positive):
        return
    ticks = _powers(min(positive), max(positive))
    if min([*values, *(score.low for score in scores if score.low is not None)]) > 0:
        axes.set_xscale("log")
    else:
        axes.set_xscale("symlog", linthresh=min(positive))
        ticks = [0.0, *ticks]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(lambda value, _: brief(value))
    axes.xaxis.set_minor_locator(NullLocator())


def _powers(low: float, high: float) -> list[float]:
    """Powers of ten from low to high, some left out where they are more than TICKS."""
    nearly = 0.1  # a power just outside still helps to read
    powers = range(math.ceil(math.log10(low) - nearly), math.floor(math.log10(high) + nearly) + 1)
    return [10.0**power for power in powers[:: math.ceil(len(powers) / TICKS)]]


def _draw(axes: Axes, row: int, score: Score, control: bool) -> None:
    colour = GREY if control else ACCENT
    if score.value is None:
        # x in axes coordinates, y in rows.
        place = axes.get_yaxis_transform()
        axes.text(0.02, row, score.status.value, transform=place, va="center", color=GREY, style="italic")
        return
    if score.low is not None and score.high is not None:
        axes.plot([score.low, score.high], [row, row], color=colour, linewidth=1.6, solid_capstyle="butt")
    fill = colour if score.status is Outcome.MEASURED else "white"
    marker = "D" if control else "o"
    axes.plot([score.value], [row], marker, color=colour, markerfacecolor=fill, markersize=4.6)


def _dress(axes: Axes, metric: str, facts: MetricInfo, scores: Sequence[Score]) -> None:
    random = next((s.value for s in scores if s.method == "random" and s.value is not None), None)
    if random is not None:
        axes.axvline(random, color=PALE, linewidth=0.8, linestyle=(0, (3, 2)), zorder=0)
    low, high = facts.range
    if low is not None and high is not None:
        margin = 0.03 * (high - low)
        axes.set_xlim(low - margin, high + margin)
    axes.set_ylim(len(scores) - 0.4, -0.6)
    axes.set_yticks(range(len(scores)), [literal(score.method) for score in scores])
    unit = f" ({facts.unit})" if facts.unit else ""
    dress(axes, metric + unit, "higher is better →" if facts.higher_is_better else "← lower is better", "x")
    axes.spines["left"].set_visible(False)


def _alt(metric: str, facts: MetricInfo, scores: Sequence[Score]) -> str:
    direction = "higher" if facts.higher_is_better else "lower"
    values = ", ".join(f"{s.method} {brief(s.value) if s.value is not None else s.status}" for s in scores)
    return f"Dots with intervals of {metric}, {direction} is better: {values}."
