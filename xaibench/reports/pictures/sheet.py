"""A contact sheet of a cohort: one slice a patient, the annotated region outlined, under the pseudonym."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from matplotlib.figure import Figure
from scipy import ndimage

from xaibench.api import Image, Region, Volume
from xaibench.reports.pictures.plotting import INK, literal

MOST = 60
"""Patients that a sheet shows."""
LONGEST = 30
"""Letters of a class's name that fit below a picture."""
LEAST_PIXELS, INCHES = 192, 1.6
"""Height that small slices are enlarged to, by a whole factor, and width of a tile."""
DARK, LIGHT = 0, 255

Pixels = UInt8[np.ndarray, "_ _ 3"]


@dataclass(frozen=True)
class Shown:
    """One tile."""

    title: str
    pixels: Pixels


def write_sheet(volumes: Iterable[Volume], class_names: tuple[str, ...], path: Path) -> int:
    """Draw the first patients of a cohort as a PNG; returns their number.

    The slice shown is the one with the largest region, or the middle one. The outline is light inside the region's
    edge and dark outside it, so that it shows on any colour.
    """
    tiles = [tile(volume, class_names) for volume in islice(volumes, MOST)]
    columns = math.ceil(math.sqrt(len(tiles)))
    rows = math.ceil(len(tiles) / columns)
    figure = Figure(figsize=(INCHES * columns, 1.25 * INCHES * rows), layout="constrained", dpi=150)
    for number, shown in enumerate(tiles, start=1):
        axes = figure.add_subplot(rows, columns, number)
        axes.imshow(shown.pixels, interpolation="nearest")
        axes.set_title(literal(shown.title), fontsize=5.5, color=INK)
        axes.set_axis_off()
    figure.savefig(path, format="png", metadata={"Software": None})
    return len(tiles)


def tile(volume: Volume, class_names: tuple[str, ...]) -> Shown:
    """One slice of a patient, and what is known of them: no identifying value."""
    index = len(volume.images) // 2
    region = None
    if volume.regions is not None and volume.regions.any():
        index = int(volume.regions.sum(axis=(1, 2)).argmax())
        region = volume.regions[index]
    labels = ", ".join(class_names[label] for label in volume.labels) or "no label"
    annotated = f"{volume.region_name} outlined" if region is not None else f"no {volume.region_name}"
    title = f"{volume.patient}, slice {index} of {len(volume.images)}\n{labels[:LONGEST]}\n{annotated}"
    return Shown(title, outlined(colours(volume.images[index]), region))


def colours(image: Image) -> Pixels:
    """Slice in colour if it has three channels, else in grey, from its 1st to its 99th percentile."""
    values = image if image.shape[-1] == 3 else image.mean(axis=-1, keepdims=True)
    low, high = np.percentile(values, (1, 99))
    shares = np.clip((values - low) / max(float(high - low), 1e-12), 0, 1)
    return np.broadcast_to(np.rint(shares * 255), (*image.shape[:2], 3)).astype(np.uint8)


def outlined(pixels: Pixels, region: Region | None) -> Pixels:
    """Enlarge a slice by a whole factor, and draw a line of two tones along the edge of a region."""
    factor = max(1, -(-LEAST_PIXELS // pixels.shape[0]))
    large = pixels.repeat(factor, axis=0).repeat(factor, axis=1)
    if region is None:
        return large
    marked = region.repeat(factor, axis=0).repeat(factor, axis=1)
    width = max(1, large.shape[0] // LEAST_PIXELS)
    large[marked & ~ndimage.binary_erosion(marked, iterations=width)] = LIGHT
    large[ndimage.binary_dilation(marked, iterations=width) & ~marked] = DARK
    return large
