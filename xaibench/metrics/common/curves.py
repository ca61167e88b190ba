"""What the curve metrics share: how many pixels each point of a curve changes, and the area under it."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from xaibench.api import Case, Classifier, Explanation, Measurement, XaibenchError, seed_of
from xaibench.metrics.common.ordering import ordering
from xaibench.metrics.common.removal import Removal, check_baseline
from xaibench.metrics.common.shifts import measured, with_shifted

FIRST = 0.001
"""Share of the pixels changed by the first step of a geometric grid."""
SPACINGS = ("equal", "geometric")


class Curve(NamedTuple):
    """How deletion and insertion change an image step by step."""

    steps: int
    spacing: str
    baseline: str
    seed: int
    metric: str
    """Name of the metric, for the order of ties."""


def measured_curve(
    curve: Curve, classifier: Classifier, case: Case, explanation: Explanation, restoring: bool
) -> Measurement:
    """Area under the curve of the map, with its gain over its shifted copies.

    The map and its copies go to the model in one call.
    """
    removal = Removal(classifier, case, explanation.target, curve.baseline, curve.seed)
    removal.require_evidence()
    order = ordering(explanation.heatmap, seed_of(curve.seed, case.id, curve.metric))
    changed = counts(shares(curve.steps, curve.spacing), order.ranks.size)
    sets = hottest(with_shifted(order.ranks, case, curve.seed), changed)
    points = removal.probabilities(sets if restoring else ~sets)
    areas = np.trapezoid(points, changed / order.ranks.size, axis=1)
    normalised = (areas[0] - removal.empty) / (removal.whole - removal.empty)
    return measured(areas, restoring, {"normalised": float(normalised), "tied_share": order.tied_share})


def check_curve(steps: int, spacing: str, baseline: str) -> None:
    """Raise XaibenchError for a curve that cannot be."""
    check_baseline(baseline)
    if spacing not in SPACINGS:
        raise XaibenchError(
            f"There is no spacing {spacing!r} of a curve; choose one of {', '.join(SPACINGS)}."
        )
    check_points(steps)


def check_points(points: int) -> None:
    """Raise XaibenchError for too few steps to make a curve."""
    if points < 2:
        raise XaibenchError(f"A curve of {points} steps has no inner point; give 2 steps or more.")


def shares(steps: int, spacing: str) -> Float[np.ndarray, "m"]:
    """Shares of the pixels, from 0 to 1: equal steps, or after 0 steps that grow by one factor from 0.1 % on."""
    if spacing == "equal":
        return np.linspace(0, 1, steps + 1)
    return np.append(0, geometric(steps, 1.0))


def geometric(points: int, last: float) -> Float[np.ndarray, "m"]:
    """Shares of the pixels from 0.1 % to `last`, each larger than the one before by the same factor."""
    grid: np.ndarray = np.geomspace(FIRST, last, points)
    return grid


def counts(shares: Float[np.ndarray, "m"], pixels: int) -> Int[np.ndarray, "m"]:
    """Nearest number of pixels for each share; at least 1 for a share above 0."""
    return np.asarray(np.maximum(np.rint(shares * pixels), shares > 0).astype(np.int64))


def hottest(
    ranks: Int[np.ndarray, "n *space"], counts: Int[np.ndarray, "m"]
) -> Bool[np.ndarray, "n m *space"]:
    """Mark the hottest pixels of each ranked map (0 = hottest), a set a count."""
    limits = counts.reshape(-1, *[1] * (ranks.ndim - 1))
    return np.asarray(ranks[:, None] < limits)
