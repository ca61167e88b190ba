"""Slices and maps as 8-bit pictures of values, which the viewer's script turns into colours, and outlines as paths."""

import base64
import io
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import Image as Pillow

from xaibench.api import Heatmap, Image, Region
from xaibench.reports.pictures.pictures import DIVERGING, SEQUENTIAL, Flat, Resized, brightness, palette

LARGEST = 384
"""Longest side of a picture; what is larger is averaged down."""
ZERO, STEPS = 128, 127
"""Byte of zero in a signed map, and how many bytes lie on either side of it."""
TOP = 255

Bytes = UInt8[np.ndarray, "rows columns"]


@dataclass(frozen=True)
class EncodedMap:
    """A map as a grey picture: a byte stands for `limit * byte / 255`, or if signed `limit * (byte - 128) / 127`."""

    png: str
    """The PNG in base64."""
    limit: float
    """Largest absolute value."""
    signed: bool
    """Whether it has negative values."""


def encoded_map(heatmap: Heatmap) -> EncodedMap:
    """Encode a finite map on its own scale; zero stays zero, other values are off by at most half a byte."""
    limit = float(np.abs(heatmap).max())
    signed = bool(heatmap.min() < 0)
    shares = heatmap.astype(np.float64) / (limit or 1.0)
    found = ZERO + STEPS * _reduced(shares) if signed else TOP * _reduced(shares)
    return EncodedMap(_png(np.rint(found).astype(np.uint8)), limit, signed)


def encoded_slice(image: Image) -> str:
    """PNG of a slice in base64, grey as in the gallery."""
    return _png(np.rint(TOP * _reduced(brightness(image))).astype(np.uint8))


def palettes() -> dict[str, str]:
    """Colour of each byte of an unsigned and of a signed map, 256 times red, green and blue, in base64."""
    diverging = palette(DIVERGING, 2 * STEPS + 1)
    colours = {
        "unsigned": palette(SEQUENTIAL, TOP + 1),
        "signed": np.vstack([diverging[:1], diverging]),  # byte 0 is not used
    }
    return {name: base64.b64encode(found.tobytes()).decode() for name, found in colours.items()}


def outline_path(region: Region) -> str:
    """SVG path along the edges of the region's pixels; a pixel is one unit, the first one's corner the origin."""
    padded = np.pad(region, 1)
    across = (f"M{start} {row}H{end}" for row, start, end in _runs(padded[1:] != padded[:-1]))
    along = (f"M{column} {start}V{end}" for column, start, end in _runs((padded[:, 1:] != padded[:, :-1]).T))
    return "".join([*across, *along])


def _runs(marked: Region) -> list[tuple[int, int, int]]:
    """Line, start and end of each run of marked pixels in a padded array, in units of the array without padding."""
    steps = np.diff(marked.astype(np.int8), axis=1)
    starts, ends = np.argwhere(steps == 1), np.argwhere(steps == -1)
    return [(int(line), int(start), int(end)) for (line, start), (_, end) in zip(starts, ends, strict=True)]


def _reduced(values: Flat) -> Resized:
    """Average down what is too large."""
    factor = max(values.shape) / LARGEST
    if factor <= 1:
        return values
    height, width = (max(1, round(side / factor)) for side in values.shape)
    picture = Pillow.fromarray(values.astype(np.float32))
    return np.asarray(picture.resize((width, height), Pillow.Resampling.BOX), dtype=np.float64).clip(-1, 1)


def _png(found: Bytes) -> str:
    file = io.BytesIO()
    Pillow.fromarray(found).save(file, "PNG", compress_level=6)
    return base64.b64encode(file.getvalue()).decode()
