"""Pixel origins: which patient gave each pixel of a simulated image."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from xaibench.reports.pictures.pictures import Picture, category_picture

# Okabe and Ito 2008 without black, told apart by colour-blind readers too, and a violet.
COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#9b7fe0")
NOBODY, OTHERS = "#000000", "#8a939c"


@dataclass(frozen=True)
class Origin:
    """A line of the legend."""

    name: str
    colour: str
    share: float
    """Part of all pixels, 0 .. 1."""


@dataclass(frozen=True)
class OriginMap:
    """The picture and what its colours mean; the shares sum to 1."""

    picture: Picture
    legend: tuple[Origin, ...]


def origin_map(sources: Int[np.ndarray, "h w"], patients: Sequence[str]) -> OriginMap:
    """Colour each pixel by the patient it came from; the smaller givers share a colour.

    `sources` are indices into `patients` (the patient of each case), -1 = nobody, which is black.
    """
    counts = _counts(sources, patients)
    ordered = sorted(counts, key=lambda name: (-counts[name], name))
    # A colour for all others is worth it from two on.
    named = ordered if len(ordered) <= len(COLOURS) else ordered[: len(COLOURS) - 1]
    number_of = {name: 1 + place for place, name in enumerate(named)}
    others = 1 + len(named)
    lookup = np.array([*(number_of.get(name, others) for name in patients), 0])  # -1 finds the last
    colours = [NOBODY, *COLOURS[: len(named)], OTHERS]
    rest = len(ordered) - len(named)
    parts = [(name, number_of[name], counts[name]) for name in named]
    parts += [(f"{rest} others", others, sum(counts[name] for name in ordered[len(named) :]))] if rest else []
    parts += [("nobody", 0, int((sources < 0).sum()))] if (sources < 0).any() else []
    legend = tuple(Origin(name, colours[number], count / sources.size) for name, number, count in parts)
    return OriginMap(category_picture(lookup[sources], colours), legend)


def _counts(sources: Int[np.ndarray, "h w"], patients: Sequence[str]) -> dict[str, int]:
    """Pixels by patient, those who gave none left out."""
    counts: dict[str, int] = {}
    for case, count in zip(*np.unique(sources[sources >= 0], return_counts=True), strict=True):
        counts[patients[case]] = counts.get(patients[case], 0) + int(count)
    return counts
