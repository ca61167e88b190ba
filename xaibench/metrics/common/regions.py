"""What the co-localisation metrics share: the annotated region, overlap with it, and mass inside it."""

import numpy as np

from xaibench.api import Case, Heatmap, NotApplicable, Region


def region_of(case: Case, heatmap: Heatmap) -> Region:
    """Annotated region of the case, of the heatmap's size.

    Raises NotApplicable where nothing is annotated, ValueError where the sizes differ (numpy would
    broadcast some of them silently).
    """
    if case.region is None:
        raise NotApplicable("the case has no annotated region")
    if case.region.shape != heatmap.shape:
        raise ValueError(
            f"case {case.id}: the mask is {_size(case.region)} but the heatmap is {_size(heatmap)}; "
            f"resample the mask to the image that is explained"
        )
    if not case.region.any():
        raise NotApplicable("the annotated region of the case is empty")
    return case.region


def mass_share(heatmap: Heatmap, region: Region) -> float:
    """Share of the heatmap's positive mass inside the region, 0 .. 1.

    A map without positive mass prefers no pixel and counts as a uniform one: the region's share of the area.
    """
    positive = np.maximum(heatmap, 0).astype(np.float64)
    total = float(positive.sum())
    return float(positive[region].sum()) / total if total else area_share(region)


def area_share(region: Region) -> float:
    """Share of the image that the region covers, 0 .. 1."""
    return float(region.mean())


def _size(array: np.ndarray) -> str:
    return "x".join(map(str, array.shape))
