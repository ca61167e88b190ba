"""Where a map lies relative to the annotated region."""

import numpy as np

from xaibench.reports.in_words.observed import Observed
from xaibench.reports.text import apart, brief, percent

MASS, TIMES = "relevance-mass", "enrichment"


def place(seen: Observed) -> str:
    """Share of the positive mass inside, and where the highest pixel lies.

    A map without a positive value is scored by convention as a uniform one; that is no place, so it is not told.
    """
    if seen.heatmap.max() <= 0:
        return "the map has no positive value: it marks nothing for the explained class"
    return "; ".join(filter(None, [_mass(seen), _highest(seen)]))


def _mass(seen: Observed) -> str:
    share, times = seen.value(MASS), seen.value(TIMES)
    region = seen.setting.case.region_name
    if share is None:
        return f"how much of the map lies in the {region} was not measured: {seen.why_not(MASS)}"
    if share == 0:
        return f"none of the positive mass lies in the {region}"
    text = f"{percent(share)} of the positive mass lies in the {region}"
    return text if times is None else f"{text}, {apart(times, 1.0)[0]} times what chance gives"


def _highest(seen: Observed) -> str:
    """Where the highest pixel lies, or those that share the highest value; empty where no region is known."""
    distances = seen.setting.distances
    if distances is None or distances.shape != seen.heatmap.shape:
        return ""
    away = distances[seen.heatmap == seen.heatmap.max()]
    region, inside, tied = seen.setting.case.region_name, np.count_nonzero(away == 0), len(away)
    nearest = f"{brief(float(away.min()))} {seen.setting.unit} from the {region}"
    if tied == 1:
        return f"the highest pixel lies {f'inside the {region}' if inside else nearest}"
    if inside == 0:
        return f"the nearest of the {tied} pixels that share the highest value lies {nearest}"
    share = f"all {tied}" if inside == tied else f"{inside} of the {tied}"
    return f"{share} pixels that share the highest value lie inside the {region}"
