"""Plots of the leaderboard: critical differences, quality against cost, and how often each explainer comes first."""

import numpy as np
import pandas as pd
import scikit_posthocs
from matplotlib.axes import Axes

from xaibench.reports.pictures.plotting import ACCENT, GREY, PALE, Plot, drawn, dress, literal
from xaibench.reports.scoring.leaderboard import Leaderboard, Line
from xaibench.reports.scoring.ranking import Ranking, pareto_front
from xaibench.reports.scoring.stability import Stability
from xaibench.reports.text import brief, listed, percent, plural


def rank_plots(board: Leaderboard) -> list[Plot]:
    """All plots of the ranks; none where fewer than two explainers are ranked."""
    if board.ranking is None or board.stability is None or len(board.ranked) < 2:
        return []
    return [
        critical_difference(board.ranking),
        *quality_against_cost(board.ranked),
        first_places(board.stability),
    ]


def critical_difference(ranking: Ranking) -> Plot:
    """Mean ranks on a line; a bar joins explainers that cannot be told apart (Demsar 2006, sec. 3.2.4)."""
    test, names = ranking.test, [literal(s.method) for s in ranking.standings]
    ranks = pd.Series(test.mean_ranks, index=names)
    differ = test.better | test.better.T
    same = pd.DataFrame(np.where(differ, 0.0, 1.0), index=names, columns=names)

    def draw(axes: Axes) -> None:
        scikit_posthocs.critical_difference_diagram(
            ranks,
            same,
            ax=axes,
            label_fmt_left="{label}  {rank:.2f}",
            label_fmt_right="{rank:.2f}  {label}",
            text_h_margin=0.06,
            color_palette=[ACCENT] * len(names),
            crossbar_props={"color": GREY, "linewidth": 2.5},
        )
        axes.set_title(
            "Mean ranks over patients, facts and families (1 = best)", fontsize=10, loc="left", pad=24
        )

    groups = [listed([ranking.standings[i].method for i in group]) for group in test.groups if len(group) > 1]
    alt = f"Critical-difference diagram: {_ranks(ranking)}. Not told apart: {'; '.join(groups) or 'none'}."
    caption = (
        f"A bar joins explainers that the tests cannot tell apart (Friedman, then Nemenyi, by permutation; critical "
        f"difference {brief(test.critical_difference)}, {plural(test.n, 'patient')})."
    )
    return Plot(drawn((6.4, 1.6 + 0.17 * len(names)), draw), alt, caption)


def _ranks(ranking: Ranking) -> str:
    pairs = zip(ranking.standings, ranking.test.mean_ranks, strict=True)
    return ", ".join(f"{standing.method} {mean:.2f}" for standing, mean in pairs)


def quality_against_cost(lines: list[Line]) -> list[Plot]:
    """Mean rank against the time of an image; the line is the Pareto front. Nothing where no time was measured."""
    known = [line for line in lines if line.latency and line.latency.value and line.standing]
    if not known:
        return []
    ranks = np.array([line.standing.mean_rank for line in known if line.standing])
    times = np.array([line.latency.value for line in known if line.latency], dtype=float)
    front = pareto_front(ranks, times)
    corners = np.flatnonzero(front)[np.argsort(times[front])]

    def draw(axes: Axes) -> None:
        axes.set_xscale("log")
        axes.plot(times[corners], ranks[corners], color=PALE, linewidth=1.2, drawstyle="steps-post", zorder=1)
        for line, x, y, best in zip(known, times, ranks, front, strict=True):
            axes.plot([x], [y], "o", color=ACCENT if best else GREY, markersize=5)
            axes.annotate(literal(line.method), (x, y), (4, 4), textcoords="offset points", fontsize=7.5)
        axes.margins(x=0.18, y=0.12)
        axes.invert_yaxis()
        axes.set_ylabel("mean rank (best on top)")
        dress(axes, "Quality against cost", "median time of an image (ms)", "both")

    each = ", ".join(
        f"{line.method} {brief(x)} ms rank {y:.2f}" for line, x, y in zip(known, times, ranks, strict=True)
    )
    names = listed([known[i].method for i in corners])
    caption = f"On the Pareto front, where nobody is both faster and better on average: {names}."
    return [Plot(drawn((5.2, 3.6), draw), f"Mean rank against time: {each}.", caption)]


def first_places(found: Stability) -> Plot:
    """Share of draws of the patients in which each explainer has the best mean rank."""
    shares = sorted(((share, name) for name, share in found.first.items()), reverse=True)

    def draw(axes: Axes) -> None:
        axes.barh(range(len(shares)), [share for share, _ in shares], color=ACCENT, height=0.6)
        axes.set_yticks(range(len(shares)), [literal(name) for _, name in shares])
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        dress(axes, "How stable is the winner", "share of 1000 draws in which it leads", "x")

    each = ", ".join(f"{name} {percent(share)}" for share, name in shares)
    without = "; ".join(f"without {family}: {listed(names)}" for family, names in found.without.items())
    caption = f"Who would lead if a family of metrics did not count: {without}." if without else ""
    return Plot(
        drawn((4.2, 0.95 + 0.21 * len(shares)), draw), f"Share of draws in the lead: {each}.", caption
    )
