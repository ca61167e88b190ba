"""How two scans of one patient differ: posture, coil, noise, contrast."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from xaibench.api import Heatmap, Image, Region
from xaibench.metrics.common.copies import Change
from xaibench.metrics.common.intensity import robust_range

DEGREES = 5.0
BIAS = 0.2
"""Largest logarithm of the bias field."""
NOISE = 0.03
"""Sigma of the noise in each of the two channels, as a share of the image's own robust range."""
GAMMA = 1.2
"""Largest exponent of the change of contrast."""

Outside = Literal["nearest", "constant"]
Undo = Callable[[Heatmap, float], tuple[Heatmap, Region]]
"""Brings a map back to the place of the unchanged image, and marks where it is known there."""


class Difference(NamedTuple):
    """A change of the image, at any strength of 0 .. 1, and how to bring a map of the changed image back."""

    change: Change
    undo: Undo


def differences(image: Image, rng: np.random.Generator) -> dict[str, Difference]:
    """One of each kind, by name, drawn for an image."""
    return {
        "rotation": rotation(image, rng),
        "bias_field": bias_field(image, rng),
        "noise": rician_noise(image, rng),
        "contrast": contrast(image, rng),
    }


def rotation(image: Image, rng: np.random.Generator) -> Difference:
    """Turn the slice by 2.5 to 5 degrees, either way; what comes in from outside repeats the border."""
    degrees = DEGREES * rng.uniform(0.5, 1) * rng.choice([-1, 1])

    def change(strength: float) -> Image:
        return _turned(image, strength * degrees, (-3, -2), "nearest")

    def undo(heatmap: Heatmap, strength: float) -> tuple[Heatmap, Region]:
        there = _turned(np.ones_like(heatmap), strength * degrees, (-2, -1), "constant")
        known = _turned(there, -strength * degrees, (-2, -1), "constant") > 0.999
        return _turned(heatmap, -strength * degrees, (-2, -1), "nearest"), known

    return Difference(change, undo)


def bias_field(image: Image, rng: np.random.Generator) -> Difference:
    """Multiply intensities above the lowest by exp of a quadratic field of at most +-0.2."""
    axes = np.meshgrid(*(np.linspace(-1, 1, size) for size in image.shape[:-1]), indexing="ij")
    terms = [*axes, *(axis**2 for axis in axes)]
    field = sum(weight * term for weight, term in zip(rng.standard_normal(len(terms)), terms, strict=True))
    field = BIAS * field / max(float(np.abs(field).max()), 1e-12)
    low = image.min()

    def change(strength: float) -> Image:
        return _float32(low + (image - low) * np.exp(strength * field)[..., None])

    return Difference(change, _unmoved)


def rician_noise(image: Image, rng: np.random.Generator) -> Difference:
    """Add noise to the two channels of the complex signal, of which the scanner shows the magnitude."""
    real, imaginary = NOISE * robust_range(image) * rng.standard_normal((2, *image.shape))
    low = image.min()

    def change(strength: float) -> Image:
        return _float32(low + np.hypot(image - low + strength * real, strength * imaginary))

    return Difference(change, _unmoved)


def contrast(image: Image, rng: np.random.Generator) -> Difference:
    """Raise intensities, scaled to 0 .. 1, to a power between 1/1.2 and 1.2, but not close to 1."""
    low, span = image.min(), max(float(np.ptp(image)), 1e-12)
    exponent = np.log(GAMMA) * rng.uniform(0.5, 1) * rng.choice([-1, 1])

    def change(strength: float) -> Image:
        return _float32(low + span * ((image - low) / span) ** np.exp(strength * exponent))

    return Difference(change, _unmoved)


def _unmoved(heatmap: Heatmap, strength: float) -> tuple[Heatmap, Region]:
    return heatmap, np.ones(heatmap.shape, bool)


def _turned(values: np.ndarray, degrees: float, plane: tuple[int, int], outside: Outside) -> np.ndarray:
    """Turn in the plane of two axes, with linear interpolation."""
    from scipy.ndimage import rotate

    return np.asarray(rotate(values, degrees, plane, reshape=False, order=1, mode=outside))


def _float32(values: np.ndarray) -> Image:
    return np.asarray(values, np.float32)
