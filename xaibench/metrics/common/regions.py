"""What the co-localisation metrics share: the annotated region, and which pixels a map marks as hottest."""

import numpy as np
from jaxtyping import Bool, Float

from xaibench.api import Case, Heatmap, NotApplicable, Region, seed_of
from xaibench.metrics.common.shifts import seen_by_shifted


def regions_of(case: Case, heatmap: Heatmap, seed: int) -> Bool[np.ndarray, "n *space"]:
    """Annotated region of the case as the heatmap meets it, then as the heatmap's shifted copies meet it.

    Raises NotApplicable where nothing is annotated, ValueError where the sizes differ (numpy would
    broadcast some of them silently).
    """
    if case.region is None:
        raise NotApplicable("the case has no annotated region")
    if case.region.shape != heatmap.shape:
        raise ValueError(
            f"case {case.id}: the region is {_size(case.region)} but the heatmap is {_size(heatmap)}; "
            f"resample the region to the image that is explained"
        )
    if not case.region.any():
        raise NotApplicable("the annotated region of the case is empty")
    return seen_by_shifted(case, seed)


def require_outside(region: Region) -> None:
    """Raise NotApplicable where no pixel lies outside the region."""
    if region.all():
        raise NotApplicable("the annotated region covers the whole image, so nothing can lie outside")


def mass_shares(heatmap: Heatmap, regions: Bool[np.ndarray, "n *space"]) -> Float[np.ndarray, "n"]:
    """Share of the heatmap's positive mass inside each region, 0 .. 1.

    A map without positive mass prefers no pixel and counts as a uniform one: the region's share of the area.
    """
    positive = np.maximum(heatmap, 0).astype(np.float64)
    total = positive.sum()
    if total == 0:
        return np.array([region.mean() for region in regions])
    return np.array([positive[region].sum() / total for region in regions])


def hottest_pixels(heatmap: Heatmap, count: int, case: Case, seed: int) -> Region:
    """Mark the `count` hottest pixels; which of those tied at the border, the seed and the case decide.

    The same pixels for all metrics that ask for as many.
    """
    values = heatmap.ravel()
    border = np.partition(values, values.size - count)[values.size - count]
    marked = values > border
    tied = np.flatnonzero(values == border)
    rng = np.random.default_rng(seed_of(seed, case.id, "hottest pixels"))
    marked[rng.choice(tied, count - np.count_nonzero(marked), replace=False, shuffle=False)] = True
    return np.asarray(marked.reshape(heatmap.shape))


def overlaps(marked: Region, regions: Bool[np.ndarray, "n *space"]) -> Float[np.ndarray, "n"]:
    """Number of marked pixels inside each region."""
    return np.array([float(np.count_nonzero(marked & region)) for region in regions])


def _size(array: np.ndarray) -> str:
    return "x".join(map(str, array.shape))
