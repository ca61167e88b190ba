"""One phantom patient and the T2-weighted slices of them.

Every part draws from its own seeded stream, so that nothing outside the tumour can depend on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt16

from xaibench.api import Regions, seed_of
from xaibench.datasets.phantom.drawing import SIZE, Canvas, Points, Signal, Texture, enlarge, noise, region
from xaibench.datasets.phantom.painting import paint_slice
from xaibench.datasets.phantom.physique import Physique
from xaibench.datasets.phantom.tumour import Prosthesis, Tumour

STORED_FULL_SCALE = 2500
"""Stored value of the brightest fluid before the bias field."""

StoredImages = UInt16[np.ndarray, "n h w"]


@dataclass(frozen=True, eq=False)
class PhantomPatient:
    """A patient whose slices can be rendered."""

    seed: int
    physique: Physique
    tumour: Tumour
    metal: Prosthesis | None

    @classmethod
    def draw(cls, seed: int, invasive: bool, prosthesis: bool = False) -> "PhantomPatient":
        """Draw the patient that a seed names, with or without invasive growth, with or without the confounder."""
        return cls(
            seed,
            Physique.draw(stream(seed, "build")),
            Tumour.draw(stream(seed, "tumour"), invasive),
            Prosthesis.draw(stream(seed, "metal")) if prosthesis else None,
        )

    @property
    def rescale_slope(self) -> float:
        """Units of the file's values per stored step."""
        return round(self.physique.gain / STORED_FULL_SCALE, 4)

    def stored_images(self, slices: Sequence[int]) -> StoredImages:
        """Render slices, counted from the feet, as the integers that a file holds."""
        return np.stack([self._stored(index) for index in slices])

    def tumour_masks(self) -> Regions:
        """Tumour of every slice `[n h w]`, spicules included."""
        return self._masks(self.tumour)

    def confounder_masks(self) -> Regions | None:
        """All that the planted confounder changes on every slice `[n h w]`; None where there is none."""
        return self._masks(self.metal) if self.metal else None

    def _masks(self, thing: Tumour | Prosthesis) -> Regions:
        outlines = [(thing.outline(level), level) for level in map(float, self.physique.levels())]
        return np.stack([self._mask(outline, level) for outline, level in outlines])

    def _mask(self, outline: Points | None, level: float) -> np.ndarray:
        if outline is None:
            return np.zeros((SIZE, SIZE), bool)
        return region(self.physique.place(outline, level), self.physique.spacing_mm)

    def _stored(self, index: int) -> UInt16[np.ndarray, "h w"]:
        level = float(self.physique.levels()[index])
        canvas = Canvas(Texture.draw(stream(self.seed, "texture", index)), self.physique.spacing_mm)
        paint_slice(canvas, self.physique, self.tumour, self.metal, level)
        seen = cv2.GaussianBlur(canvas.signal, (0, 0), 0.6) * self._coil(index)
        value = rician(seen, self.physique.noise, stream(self.seed, "noise", index)) * self.physique.gain
        return np.round(value / self.rescale_slope).clip(0, 4095).astype(np.uint16)

    def _coil(self, index: int) -> Signal:
        """Return the bias field: brighter near the coils in front and behind, and a smooth random part."""
        position = 2 * index / (self.physique.slices - 1)
        low = min(int(position), 1)
        share = position - low
        coarse = self.physique.bias[low] * (1 - share) + self.physique.bias[low + 1] * share
        y = np.linspace(-1, 1, SIZE, dtype=np.float32)[:, None]
        field: Signal = (0.93 + 0.16 * y**2 + enlarge(coarse.astype(np.float32))).clip(0.6, 1.5)
        return field


def stream(*names: object) -> np.random.Generator:
    """Random numbers of their own for whatever the names say."""
    return np.random.default_rng(seed_of(*names))


def rician(signal: Signal, deviation: float, rng: np.random.Generator) -> Signal:
    """Magnitude of a signal with Gaussian noise in both channels (Gudbjartsson and Patz 1995, eq. 1)."""
    real = signal + deviation * noise(rng, SIZE)
    return np.hypot(real, deviation * noise(rng, SIZE))
