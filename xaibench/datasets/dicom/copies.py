"""Slices that a folder holds twice, told by where they lie and what they show: identifiers may be missing or shared."""

import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from xaibench.datasets.dicom.pixels import decode
from xaibench.datasets.dicom.planes import Plane
from xaibench.datasets.unreadable import Unreadable

DECIMALS = 2  # of a position in mm


def without_copies(planes: Sequence[Plane]) -> list[Plane]:
    """Keep the first of the slices that lie at one place and show the same; pixels are read only where places agree.

    Of slices at one place of which some cannot be decoded, those that can are kept.
    """
    digests = cache(_digests)  # of each file once
    at_place: dict[tuple[float, ...], list[Plane]] = {}
    for plane in planes:
        place = np.round((*plane.position, *plane.orientation), DECIMALS) + 0.0  # -0 is 0
        at_place.setdefault(tuple(place.tolist()), []).append(plane)
    return [kept for group in at_place.values() for kept in _different(group, digests)]


def _different(group: Sequence[Plane], digests: Callable[[Path], list[str]]) -> Sequence[Plane]:
    if len(group) == 1:
        return group
    shown: dict[tuple[str, tuple[float, float]], Plane] = {}
    for plane in group:
        if found := digests(plane.file):
            shown.setdefault((found[plane.frame], plane.rescale), plane)
    return list(shown.values()) or group[:1]


def _digests(file: Path) -> list[str]:
    """Digest of the stored values of each frame; empty where they cannot be decoded."""
    try:
        _, frames, _ = decode(file)
    except Unreadable:
        return []
    return [hashlib.sha256(np.ascontiguousarray(frame).tobytes()).hexdigest() for frame in frames]
