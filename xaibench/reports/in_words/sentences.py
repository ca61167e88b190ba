"""A map in two to four short sentences, which repeat what is recorded and judge nothing."""

from xaibench.metrics.effective_area import MASS
from xaibench.reports.in_words.observed import Observed
from xaibench.reports.in_words.place import place
from xaibench.reports.text import apart, brief, capitalised, percent

AREA, GINI = "effective-area", "gini"
RESCAN, NOISE = "mri-stability", "sensitivity-norm"


def describe(seen: Observed) -> str:
    """Tell where the map lies, how concentrated it is, and how stable; a constant map has none of these."""
    lowest = float(seen.heatmap.min())
    if lowest == seen.heatmap.max():
        return joined(f"the map is {brief(lowest) if lowest else 'zero'} everywhere: it prefers nothing")
    return joined(place(seen), concentration(seen), stability(seen))


def joined(*clauses: str) -> str:
    """Make each clause a sentence; empty ones are left out."""
    return " ".join(f"{capitalised(clause)}." for clause in clauses if clause)


def concentration(seen: Observed) -> str:
    """Area that holds most of the map, or else its Gini index; empty where the run has neither metric."""
    area, gini = seen.value(AREA), seen.value(GINI)
    if area is not None:
        mass = "mass of either sign" if seen.heatmap.min() < 0 else "mass"
        return f"{percent(MASS)} of the {mass} lies in {percent(area)} of the image"
    if gini is not None:
        return f"the Gini index of the map is {brief(gini)} (0: spread evenly; 1: all in one pixel)"
    asked = next((metric for metric in (AREA, GINI) if metric in seen.setting.info.metrics), None)
    return f"how concentrated the map is was not measured: {seen.why_not(asked)}" if asked else ""


def stability(seen: Observed) -> str:
    """How alike the maps of changed copies of the image are: as if scanned again, or else with noise."""
    rescan, noise = seen.value(RESCAN), seen.value(NOISE)
    if rescan is not None:
        text = "in simulated rescans the pixels keep their order with a mean rank correlation of"
        return f"{text} {apart(rescan, 1.0)[0]} (1: unchanged)"
    if noise is not None:
        return f"with noise in the image the map changes by {brief(noise)} times its norm (0: not at all)"
    asked = next((metric for metric in (RESCAN, NOISE) if metric in seen.setting.info.metrics), RESCAN)
    return f"stability was not measured for this case: {seen.why_not(asked)}"
