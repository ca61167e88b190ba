"""What destroying-area and sufficient-area share: the smallest share of hottest pixels that decides the class."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from xaibench.api import Case, Classifier, Explanation, Measurement, NotApplicable, seed_of
from xaibench.metrics.common.curves import counts, geometric, hottest
from xaibench.metrics.common.ordering import ordering
from xaibench.metrics.common.removal import Removal
from xaibench.metrics.common.shifts import measured, with_shifted


class Search(NamedTuple):
    """Where the smallest share is looked for."""

    points: int
    """Shares tried, from 0.1 % to 100 %."""
    baseline: str
    seed: int
    metric: str
    """Name of the metric, for the order of ties."""


def measured_area(
    search: Search, classifier: Classifier, case: Case, explanation: Explanation, restoring: bool
) -> Measurement:
    """Smallest share of the map's hottest pixels, with its gain over the map's shifted copies.

    The map and its copies go to the model in one call.
    """
    removal = Removal(classifier, case, explanation.target, search.baseline, search.seed)
    _require_decision(removal)
    order = ordering(explanation.heatmap, seed_of(search.seed, case.id, search.metric))
    changed = counts(geometric(search.points, 1.0), order.ranks.size)
    sets = hottest(with_shifted(order.ranks, case, search.seed), changed)
    given = removal.given(removal.scores(sets if restoring else ~sets))
    areas = _first(given == restoring, changed / order.ranks.size)
    return measured(areas, False, {"tied_share": order.tied_share})


def _require_decision(removal: Removal) -> None:
    """Raise NotApplicable unless the class is given to the image and not to the baseline."""
    removal.require_evidence()
    whole, empty = removal.given(np.stack(removal.ends))
    if not whole:
        raise NotApplicable(
            "the model does not give the image the explained class, so nothing can change that"
        )
    if empty:
        raise NotApplicable(
            f"there is no evidence to remove: the {removal.baseline} baseline is given the explained class as well"
        )


def _first(reached: Bool[np.ndarray, "n m"], shares: Float[np.ndarray, "m"]) -> Float[np.ndarray, "n"]:
    """Smallest share at which each row is reached; the last point, a share of 1, always is."""
    return np.asarray(shares[reached.argmax(axis=1)])
