"""Draws outlines in millimetres as textured tissue on a slice."""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float

from xaibench.api import Region

Number = int | float
"""Spelled out because annotations are checked under test, where a whole number is no float."""
Points = Float[np.ndarray, "n 2"]
Signal = Float[np.ndarray, "h w"]

SIZE = 256
"""Rows and columns of a slice."""


class Tissue(NamedTuple):
    """Appearance on a T2-weighted image, relative to the brightest fluid = 1."""

    signal: float
    grain: float = 0.05
    """Relative amplitude of the pixel-fine texture."""
    clumps: float = 0.05
    """Relative amplitude of the texture of about 8 mm."""
    septa: float = 0.0
    """Relative darkening along thin strands (negative: bright strands, as fat between muscle fibres)."""


TISSUES = {
    "fat": Tissue(0.74, 0.04, 0.05, 0.30),
    "visceral fat": Tissue(0.72, 0.05, 0.08, 0.45),
    "skin": Tissue(0.38, 0.10),
    "muscle": Tissue(0.17, 0.10, 0.14, -0.75),
    "cortex": Tissue(0.07, 0.10),
    "marrow": Tissue(0.52, 0.07, 0.12, 0.10),
    "red marrow": Tissue(0.40, 0.09, 0.14, 0.10),
    "fascia": Tissue(0.25, 0.10),
    "urine": Tissue(1.05, 0.01, 0.02),
    "wall": Tissue(0.24, 0.10, 0.10),
    "mucosa": Tissue(0.58, 0.10, 0.10),
    "myometrium": Tissue(0.37, 0.10, 0.16),
    "endometrium": Tissue(0.78, 0.05, 0.08),
    "stroma": Tissue(0.19, 0.10, 0.10),
    "tumour": Tissue(0.47, 0.06, 0.05),
    "invasive tumour": Tissue(0.50, 0.10, 0.24),
    "strand": Tissue(0.30, 0.10, 0.10),
    "necrosis": Tissue(0.86, 0.06, 0.10),
    "dense tumour": Tissue(0.30, 0.08, 0.10),
    "stool": Tissue(0.36, 0.22, 0.45),
    "gas": Tissue(0.03, 0.10),
    "flow": Tissue(0.06, 0.20),
    "slow flow": Tissue(0.62, 0.10),
    "nerve": Tissue(0.33, 0.15),
    "pile-up": Tissue(1.15, 0.05, 0.15),
    "follicle": Tissue(0.92, 0.03),
    "ovary": Tissue(0.40, 0.10, 0.10),
}


def ellipse(x: Number, y: Number, a: Number, b: Number, degrees: Number = 0, count: int = 48) -> Points:
    """Return points on an ellipse with half axes a and b, the first rotated by `degrees`."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    turn = np.deg2rad(degrees)
    u, v = a * np.cos(angle), b * np.sin(angle)
    return np.stack(
        [x + u * np.cos(turn) - v * np.sin(turn), y + u * np.sin(turn) + v * np.cos(turn)], axis=1
    )


def smooth_outline(points: Points, per_segment: int = 6) -> Float[np.ndarray, "m 2"]:
    """Return the closed Catmull-Rom curve through the points."""
    t = (np.arange(per_segment) / per_segment)[:, None, None]
    before, after, beyond = np.roll(points, 1, 0), np.roll(points, -1, 0), np.roll(points, -2, 0)
    curve: np.ndarray = points + 0.5 * t * (
        (after - before)
        + t * (2 * before - 5 * points + 4 * after - beyond + t * (3 * points - before - 3 * after + beyond))
    )
    return np.swapaxes(curve, 0, 1).reshape(-1, 2)


def inset(points: Points, mm: Number) -> Points:
    """Move a closed outline inwards (outwards if negative) along its normals."""
    tangent = np.roll(points, -1, 0) - np.roll(points, 1, 0)
    tangent = tangent / np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-6)
    x, y = points.T
    turning = np.sign(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))
    inwards = turning * np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
    moved: Points = points + mm * inwards
    return moved


@dataclass(frozen=True, eq=False)
class Texture:
    """Random fields of one slice, of mean 0 and deviation about 1, except `septa` in [0, 1]: 1 on a strand."""

    grain: Signal
    clumps: Signal
    septa: Signal

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Texture":
        """Draw the fields at the resolution each needs, and enlarge them."""
        grain = cv2.GaussianBlur(noise(rng, SIZE), (0, 0), 0.7) * 2.4
        ridges = np.exp(-((enlarge(noise(rng, 56)) / 0.14) ** 2)) * (0.6 + 0.4 * enlarge(noise(rng, 16)))
        return cls(grain, enlarge(noise(rng, 48)) * 1.4, np.clip(ridges, 0, 1))


def noise(rng: np.random.Generator, size: int) -> Signal:
    """Draw white noise `[size size]`."""
    return rng.standard_normal((size, size), dtype=np.float32)


def enlarge(field: Float[np.ndarray, "small small"]) -> Signal:
    """Interpolate a small field to the size of a slice."""
    enlarged: Signal = cv2.resize(field, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    return enlarged


class Canvas:
    """A slice being painted: `signal` `[h w]`, 0 = air, 1 = the brightest fluid."""

    def __init__(self, texture: Texture, spacing: float) -> None:
        self.signal = np.zeros((SIZE, SIZE), np.float32)
        self._texture = texture
        self._spacing = spacing

    def paint(self, outline: Points, tissue: Tissue) -> None:
        """Cover the inside of an outline (mm, image centre = 0) with a tissue."""
        box, coverage = cover(outline, self._spacing)
        texture = 1 + tissue.grain * self._texture.grain[box] + tissue.clumps * self._texture.clumps[box]
        if tissue.septa:
            texture = texture - tissue.septa * self._texture.septa[box]
        self.signal[box] += coverage * (tissue.signal * texture - self.signal[box])


def region(outline: Points, spacing: float) -> Region:
    """Return the pixels that lie at least half inside an outline (mm)."""
    inside = np.zeros((SIZE, SIZE), bool)
    box, coverage = cover(outline, spacing)
    inside[box] = coverage >= 0.5
    return inside


def cover(outline: Points, spacing: float) -> tuple[tuple[slice, slice], Signal]:
    """Return a box of the slice, and the share of each of its pixels that lies inside the outline (mm)."""
    pixels = outline / spacing + (SIZE - 1) / 2
    low = np.clip(np.floor(pixels.min(axis=0)).astype(int) - 1, 0, SIZE)
    high = np.clip(np.ceil(pixels.max(axis=0)).astype(int) + 2, 0, SIZE)
    # Drawn at twice the resolution and averaged; moved in by half a fine pixel, because the renderer also fills
    # the pixels that the outline runs through.
    fine = np.zeros(tuple(2 * np.maximum(high - low, 1)[::-1]), np.uint8)
    corners = np.round((inset(2 * (pixels - low), 0.5) + 0.5) * 16).astype(np.int32)
    cv2.fillPoly(fine, [corners], 255, cv2.LINE_8, 4)
    coverage = cv2.resize(fine, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return (slice(low[1], high[1]), slice(low[0], high[0])), coverage[: high[1] - low[1], : high[0] - low[0]]
