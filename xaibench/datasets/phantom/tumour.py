"""The tumour of the phantom, confined or invasive, and the planted confounder."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from xaibench.datasets.phantom.drawing import Points, ellipse

ANGLES = np.linspace(0, 2 * np.pi, 144, endpoint=False)
RING_MM = 3.5
"""Thickness of the dark stroma that is left around a tumour."""
LONGEST_SPICULE_MM = 18.0
LOWEST_HALF_HEIGHT_MM = 18.5
"""Keeps the five slices about the widest one within nearly every tumour."""


@dataclass(frozen=True, eq=False)
class Tumour:
    """A lobulated ellipsoid in the cervix; an invasive one sends spicules into the parametrial fat.

    All in mm and radians, in the frame of the organ tables.
    """

    invasive: bool
    centre: tuple[float, float, float]
    radii: tuple[float, float, float]
    lobes: Float[np.ndarray, "k 4"]
    """Order, relative amplitude, phase, twist per mm of level."""
    spicules: Float[np.ndarray, "s 4"]
    """Direction, length, angular width, level above the centre."""
    foci: Float[np.ndarray, "f 5"]
    """Offset from the centre (3), radius, and 1 for necrosis or 0 for dense tissue."""

    @classmethod
    def draw(cls, rng: np.random.Generator, invasive: bool) -> "Tumour":
        """Draw a tumour; sizes of the two kinds overlap."""
        centre = tuple(rng.normal((0, 4, 9), (1.5, 1.5, 2.5)))
        size = float(np.clip(rng.normal(19.0, 2.6) if invasive else rng.normal(17.5, 2.6), 12, 24))
        radii = (
            size * rng.uniform(0.95, 1.15),
            size * rng.uniform(0.75, 0.92),
            max(size * rng.uniform(0.85, 1.05), LOWEST_HALF_HEIGHT_MM),
        )
        orders = np.arange(2, 9)
        amplitude = (0.10 if invasive else 0.05) * rng.standard_normal(7) / np.sqrt(orders - 1)
        lobes = [orders, amplitude, rng.uniform(0, 2 * np.pi, 7), rng.normal(0, 0.05, 7)]
        return cls(
            invasive,
            (centre[0], centre[1], centre[2]),
            radii,
            np.stack(lobes, axis=1),
            draw_spicules(rng, radii[2]) if invasive else np.zeros((0, 4)),
            draw_foci(rng, size, int(rng.integers(6, 12)) if invasive else int(rng.integers(0, 2))),
        )

    def outline(self, level: float) -> Points | None:
        """Return the tumour's outline at a level, spicules included, or None beyond its poles."""
        return self._lobulated(level, self._reach(level))

    def body(self, level: float) -> Points | None:
        """Return the same outline without the spicules."""
        return self._lobulated(level, np.zeros(ANGLES.shape))

    def _lobulated(self, level: float, extra_mm: Float[np.ndarray, "a"]) -> Points | None:
        height = (level - self.centre[2]) / self.radii[2]
        if abs(height) >= 1:
            return None
        shape = np.full(ANGLES.shape, np.sqrt(1 - height**2))
        order, amplitude, phase, twist = self.lobes.T[:, :, None]
        shape *= 1 + (amplitude * np.cos(order * ANGLES + phase + twist * level)).sum(axis=0)
        return self._around(shape, extra_mm)

    def ring(self, level: float) -> Points | None:
        """Return the outer outline of the stroma at a level, or None where the tumour does not widen it."""
        height = (level - self.centre[2]) / (self.radii[2] + RING_MM)
        if abs(height) >= 1:
            return None
        shape = np.full(ANGLES.shape, np.sqrt(1 - height**2))
        return self._around(shape, np.full(ANGLES.shape, RING_MM))

    def focus_outlines(self, level: float) -> list[tuple[Points, bool]]:
        """Outlines of the foci that a level cuts, each with True for necrosis."""
        cuts = [(focus, focus[3] ** 2 - (level - self.centre[2] - focus[2]) ** 2) for focus in self.foci]
        return [
            (self._blob(focus, float(np.sqrt(square))), bool(focus[4]))
            for focus, square in cuts
            if square > 0
        ]

    def _blob(self, focus: np.ndarray, radius: float) -> Points:
        x, y = self.centre[0] + focus[0], self.centre[1] + focus[1]
        return ellipse(x, y, radius * 1.25, radius * 0.8, 57.3 * float(focus[0]))

    def _reach(self, level: float) -> Float[np.ndarray, "a"]:
        """How far the spicules go beyond the lobes, in mm, for each angle."""
        direction, length, width, height = self.spicules.T[:, :, None]
        away = np.angle(np.exp(1j * (ANGLES - direction)))
        fading = np.exp(-(((level - self.centre[2] - height) / 9.0) ** 2))
        reach = (length * fading * np.exp(-((away / width) ** 2))).sum(axis=0)
        limited: np.ndarray = np.minimum(reach, LONGEST_SPICULE_MM)
        return limited

    def _around(self, shape: Float[np.ndarray, "a"], extra_mm: Float[np.ndarray, "a"]) -> Points:
        x = self.centre[0] + (self.radii[0] * shape + extra_mm) * np.cos(ANGLES)
        y = self.centre[1] + (self.radii[1] * shape + extra_mm) * np.sin(ANGLES)
        return np.stack([x, y], axis=1)


def draw_spicules(rng: np.random.Generator, height: float) -> Float[np.ndarray, "s 4"]:
    """Two broad bulges and several thin strands, mostly to the sides, where the parametrium is."""
    count = int(rng.integers(9, 14))
    side = rng.integers(0, 2, count) * np.pi + rng.normal(0, 0.5, count)
    width = np.where(np.arange(count) < 2, rng.uniform(0.3, 0.5, count), rng.uniform(0.08, 0.16, count))
    length = np.where(np.arange(count) < 2, rng.uniform(4, 9, count), rng.uniform(8, 20, count))
    return np.stack([side, length, width, rng.uniform(-0.6, 0.6, count) * height], axis=1)


def draw_foci(rng: np.random.Generator, size: float, count: int) -> Float[np.ndarray, "f 5"]:
    """Necrotic and dense foci in the inner part of the tumour, a third as wide at most."""
    offset = rng.uniform(-0.55, 0.55, (count, 3)) * size * (1, 0.8, 1)
    kind = (rng.random((count, 1)) < 0.55).astype(float)
    return np.concatenate([offset, rng.uniform(0.16, 0.34, (count, 1)) * size, kind], axis=1)


@dataclass(frozen=True)
class Prosthesis:
    """The planted confounder: the signal void of a metal hip, with bright pile-up at its rim.

    It lies at a femoral head, beyond the reach of any tumour, and from below the imaged volume to above every
    tumour's widest level.
    """

    side: int
    """1 = left, -1 = right."""
    wobble: tuple[float, ...]

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Prosthesis":
        """Draw the side and the irregularity of the artefact."""
        return cls(1 if rng.random() < 0.5 else -1, tuple(rng.normal(0, 0.05, 5)))

    def outline(self, level: float) -> Points | None:
        """Return the outline of everything the artefact changes at a level, or None above it."""
        height = (level - 4) / 38
        if height >= 1:
            return None
        radius = 28 * np.sqrt(1 - height**2) if height > 0 else 28 + 5 * height
        lobes = [a * np.cos((k + 2) * ANGLES + 40 * a + level / 9) for k, a in enumerate(self.wobble)]
        r = radius * (1 + np.sum(lobes, axis=0))
        drift = 14 * np.clip(-level / 25, 0, 1.6)  # from the head along the neck to the shaft
        return np.stack(
            [self.side * (95 + drift + r * np.cos(ANGLES)), -4 + 0.9 * r * np.sin(ANGLES)], axis=1
        )
