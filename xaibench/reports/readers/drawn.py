"""What readers drew, as masks, and how it overlaps with other masks and with maps."""

import numpy as np
from jaxtyping import Bool
from skimage.draw import polygon2mask

from xaibench.api import Heatmap, Region
from xaibench.reports.readers.formats import Drawn

CENTRE = 0.5
"""Where the centre of the first pixel lies; polygon2mask takes it for 0."""


def mask_of(drawn: Drawn, shape: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    """Pixels whose centre lies within one of the outlines; outlines may leave the image."""
    found = np.zeros(shape, dtype=bool)
    for outline in drawn.outlines:
        corners = np.array([(row, column) for column, row in outline]) - CENTRE
        found |= polygon2mask(shape, corners)
    return found


def dice(first: Region, second: Region) -> float:
    """Twice the common pixels over the sum of both, in [0, 1]; 1 where both are empty."""
    size = int(first.sum()) + int(second.sum())
    return 2 * int((first & second).sum()) / size if size else 1.0


def mass_inside(heatmap: Heatmap, region: Region) -> float | None:
    """Share of the positive relevance inside a region, in [0, 1]; None where nothing is positive.

    A map without knowledge of the place scores the region's share of the image.
    """
    positive = np.maximum(heatmap.astype(np.float64), 0)
    total = float(positive.sum())
    return float(positive[region].sum()) / total if total else None
