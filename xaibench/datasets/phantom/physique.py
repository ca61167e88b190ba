"""What differs between phantom patients outside the tumour: size, shape, organs, scanner."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from xaibench.datasets.phantom.drawing import Points

LONG_WAVES = 8


@dataclass(frozen=True, eq=False)
class Physique:
    """A patient's physique, and how they were scanned."""

    slices: int
    gap_mm: float
    """Distance of the slice centres."""
    bottom_mm: float
    """Level of the lowest slice."""
    spacing_mm: float
    scale: Float[np.ndarray, "2"]
    fat: float
    """Stretch of the skin outline against the skeleton."""
    turn: float
    """Rotation in the plane, radians."""
    shift: Float[np.ndarray, "2"]
    waves: Float[np.ndarray, "w 6"]
    """Wave vector (3), phase, displacement (2): a smooth warp that makes no two patients and no two sides alike."""
    bladder: float
    """Size against the average bladder."""
    rectum: float
    gas: bool
    uterus: Float[np.ndarray, "2"]
    """Offset of the uterine body, mm."""
    loops: Float[np.ndarray, "l 6"]
    """Bowel: x, y, half axes, rotation, content (0 gas, 1 stool, 2 fluid)."""
    plexus: Float[np.ndarray, "v 5"]
    """Parametrial vessels: x, y, radius, wander per mm of level, signal (0 flow void, 1 slow flow)."""
    follicles: Float[np.ndarray, "f 3"]
    gain: float
    """Value of the brightest fluid in the file."""
    noise: float
    """Deviation of each channel's noise against the brightest fluid."""
    bias: Float[np.ndarray, "3 5 5"]
    """Coarse bias field at the lowest, middle and highest level."""

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Physique":
        """Draw a patient."""
        gap = float(rng.choice([5.5, 6.0]))
        slices = int(rng.integers(14, 17))
        return cls(
            slices=slices,
            gap_mm=gap,
            bottom_mm=round(float(3 + rng.uniform(-2, 2) - gap * (slices - 1) / 2), 2),
            spacing_mm=float(rng.choice([1.3281, 1.3672, 1.4063])),
            scale=rng.normal(1.0, 0.025, 2).clip(0.94, 1.05),
            fat=float(rng.uniform(0.95, 1.06)),
            turn=float(rng.normal(0, 0.025)),
            shift=rng.normal(0, 3, 2),
            waves=draw_waves(rng),
            bladder=float(rng.uniform(0.72, 1.2)),
            rectum=float(rng.uniform(0.8, 1.2)),
            gas=bool(rng.random() < 0.5),
            uterus=rng.normal(0, (7, 3)),
            loops=draw_loops(rng),
            plexus=draw_plexus(rng),
            follicles=np.stack([*rng.uniform(-6, 6, (2, 6)), rng.uniform(1.5, 3.5, 6)], axis=1),
            gain=float(rng.uniform(600, 1400)),
            noise=float(rng.uniform(0.018, 0.032)),
            bias=rng.normal(0, 0.07, (3, 5, 5)),
        )

    def levels(self) -> Float[np.ndarray, "n"]:
        """Levels of the slices in mm, from the feet upwards."""
        return self.bottom_mm + self.gap_mm * np.arange(self.slices)

    def place(self, points: Points, level: float) -> Points:
        """Bring points of the average pelvis to their place in this patient, in mm from the image's centre."""
        return self._placed(points, level, self.waves)

    def place_skin(self, points: Points, level: float) -> Points:
        """Place the skin, which is stretched by fat and follows only the long waves."""
        return self._placed(points * self.fat, level, self.waves[:LONG_WAVES])

    def _placed(self, points: Points, level: float, waves: Float[np.ndarray, "w 6"]) -> Points:
        at = np.concatenate([points, np.full((len(points), 1), level)], axis=1)
        phase = at @ waves[:, :3].T + waves[:, 3]
        warped = points * self.scale + np.sin(phase) @ waves[:, 4:]
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        placed: Points = warped @ np.array([[cos, sin], [-sin, cos]]) + self.shift
        return placed


def draw_waves(rng: np.random.Generator) -> Float[np.ndarray, "w 6"]:
    """Long waves move organs by millimetres; short ones make their edges uneven."""
    length = np.concatenate(
        [rng.uniform(110, 260, LONG_WAVES), rng.uniform(25, 50, 8), rng.uniform(9, 16, 8)]
    )
    amplitude = np.repeat([1.5, 0.5, 0.26], 8)
    direction = rng.normal(size=(24, 3)) * (1, 1, 0.6)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    phase = rng.uniform(0, 2 * np.pi, 24)
    displacement = rng.normal(size=(24, 2)) * amplitude[:, None]
    return np.concatenate([direction * (2 * np.pi / length)[:, None], phase[:, None], displacement], axis=1)


def draw_loops(rng: np.random.Generator) -> Float[np.ndarray, "l 6"]:
    """Bowel loops of the upper slices, in front of and beside the uterus."""
    places = np.array([(-36, -34), (-4, -40), (34, -36), (-44, 16), (40, -14), (-44, -10), (44, 28)])
    count = len(places)
    axes = rng.uniform((11, 8), (19, 12), (count, 2))
    content = rng.choice([0, 1, 2], count, p=[0.2, 0.45, 0.35])
    centres = places + rng.normal(0, 4, (count, 2))
    return np.column_stack([centres, axes, rng.uniform(-60, 60, count), content])


def draw_plexus(rng: np.random.Generator) -> Float[np.ndarray, "v 5"]:
    """Vessels on both sides of the cervix."""
    count = 26
    side = np.where(np.arange(count) % 2, 1, -1)
    x = side * rng.uniform(27, 46, count)
    y = rng.normal(4, 9, count)
    radius = rng.uniform(1.1, 2.6, count)
    return np.column_stack([x, y, radius, rng.normal(0, 0.25, count), rng.random(count) < 0.4])
