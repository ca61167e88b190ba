"""Arrays to small PNG pictures: grey slices, and heatmaps whose zero is black, with the tumour's outline."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8
from matplotlib import colormaps
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_rgb
from PIL import Image as Pillow

from xaibench.api import Heatmap, Image, Region

SIZE = 192
"""Pictures are enlarged by whole factors to at least this height in pixels, and reduced to at most twice it."""
LIGHT, DARK = (255, 255, 255), (0, 0, 0)
"""The outline: light inside the region's edge and dark outside it, so that it shows on any colour."""
LEVELS = 253
"""Colours of a map, odd so that zero has one of its own; the two after them are the outline's."""

Flat = Float[np.ndarray, "h w"]
Resized = Float[np.ndarray, "rows columns"]
Palette = UInt8[np.ndarray, "colours 3"]

SEQUENTIAL = colormaps["magma"]
# Black at zero like the sequential map, so that "nothing" looks the same in both.
DIVERGING = LinearSegmentedColormap.from_list(
    "cold-black-warm", ["#b8ecff", "#2f8fe0", "#123a6b", "#000000", "#6e2610", "#e8701a", "#ffe0a8"]
)


@dataclass(frozen=True)
class ColourBar:
    """What the colours of a map mean."""

    low: float
    high: float
    css: str
    """A CSS gradient from the low to the high end."""


@dataclass(frozen=True)
class Picture:
    """One picture, ready for an `img`."""

    src: str
    """Data address of the PNG."""
    bar: ColourBar | None = None
    constant: float | None = None
    """The one value of a constant map; None for all others."""


def slice_picture(image: Image, mask: Region | None) -> Picture:
    """Show a slice in grey, mean over channels, from its 1st to its 99th percentile."""
    return Picture(_png(brightness(image), colormaps["gray"], mask))


def brightness(image: Image) -> Flat:
    """Mean over channels, from 0 at the 1st percentile of the image to 1 at its 99th."""
    grey = image.mean(axis=-1, dtype=np.float64)
    low, high = np.percentile(grey, (1, 99))
    shares: Flat = np.clip((grey - low) / max(high - low, 1e-12), 0, 1)
    return shares


def heatmap_picture(heatmap: Heatmap, mask: Region | None) -> Picture:
    """Show a finite heatmap on its own scale: 0 to its maximum, or symmetric about zero if it has negatives."""
    low, high = float(heatmap.min()), float(heatmap.max())
    if low == high:
        return Picture(_png(np.full(heatmap.shape, 0.25), colormaps["gray"], mask), constant=low)
    limit = max(abs(low), abs(high))
    bottom, colours = (-limit, DIVERGING) if low < 0 else (0.0, SEQUENTIAL)
    shares = (heatmap.astype(np.float64) - bottom) / (limit - bottom)
    return Picture(_png(shares, colours, mask), ColourBar(bottom, limit, gradient(colours)))


def category_picture(numbers: Int[np.ndarray, "h w"], colours: Sequence[str]) -> Picture:
    """Show each number 0, 1, ... in the colour of its place, `#rrggbb`; colours are never mixed."""
    listed = np.rint(255 * np.array([to_rgb(colour) for colour in colours])).astype(np.uint8)
    height, width = numbers.shape
    rows, columns = _resized(np.zeros(numbers.shape)).shape
    nearest = numbers[np.arange(rows)[:, None] * height // rows, np.arange(columns) * width // columns]
    return Picture(_encoded(nearest.astype(np.uint8), listed))


def gradient(colours: Colormap) -> str:
    """CSS gradient from the low to the high end."""
    stops = ", ".join(f"#{row.tobytes().hex()}" for row in palette(colours, 9))
    return f"linear-gradient(to right, {stops})"


def palette(colours: Colormap, count: int) -> Palette:
    """Colours from one end of a map to the other, 0..255."""
    rgba = np.asarray(colours(np.linspace(0, 1, count)))
    found: Palette = np.rint(rgba[:, :3] * 255).astype(np.uint8)
    return found


def _png(shares: Flat, colours: Colormap, mask: Region | None) -> str:
    """Draw values in [0, 1]; a palette picture loses no colour and is a third of the size of a true-colour one."""
    indices = np.rint(_resized(shares) * (LEVELS - 1)).astype(np.uint8)
    if mask is not None:
        marked = _resized(mask.astype(np.float64)) >= 0.5
        indices[_edge(marked)] = LEVELS
        indices[_edge(~marked, beyond=True)] = LEVELS + 1
    return _encoded(indices, np.vstack([palette(colours, LEVELS), np.array([LIGHT, DARK], np.uint8)]))


def _encoded(indices: UInt8[np.ndarray, "rows columns"], colours: Palette) -> str:
    picture = Pillow.fromarray(indices)
    picture.putpalette(colours.tobytes())
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def _resized(values: Flat) -> Resized:
    """Enlarge by a whole factor without smoothing; average down what is too large."""
    height, width = values.shape
    factor = -(-SIZE // height)
    if factor > 1:
        return values.repeat(factor, axis=0).repeat(factor, axis=1)
    if height <= 2 * SIZE:
        return values
    size = (max(1, round(width * SIZE / height)), SIZE)
    reduced = Pillow.fromarray(values.astype(np.float32)).resize(size, Pillow.Resampling.BOX)
    return np.clip(np.asarray(reduced, dtype=np.float64), 0, 1)


def _edge(mask: Region, beyond: bool = False) -> Region:
    """Pixels of the region with a 4-neighbour outside it; `beyond` says what lies outside the picture."""
    padded = np.pad(mask, 1, constant_values=beyond)
    inside = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    edge: Region = mask & ~inside
    return edge
