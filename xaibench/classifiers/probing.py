"""A model's own outputs, on made-up images and on those of a cohort."""

from collections.abc import Callable

import numpy as np

from xaibench.api import XaibenchError
from xaibench.classifiers.outputs import Reading
from xaibench.classifiers.probabilities import TOLERANCE


def probe_images(shape: tuple[int, ...]) -> np.ndarray:
    """Images `[6 *shape]` of several intensity scales: noise in 0 .. 1, 0 .. 255 and around 0, black, white, a ramp."""
    rng = np.random.default_rng(0)
    noise = rng.random(shape)
    ramp = np.linspace(0, 1, noise.size).reshape(shape)
    made = [noise, 255 * rng.random(shape), rng.normal(size=shape), 0 * noise, 0 * noise + 1, ramp]
    return np.stack(made).astype(np.float32)


def finite_rows(outputs: np.ndarray) -> np.ndarray:
    """Finite ones of outputs `[n units]` for made-up images. Raises XaibenchError where there are none."""
    finite: np.ndarray = outputs[np.isfinite(outputs).all(axis=1)]
    if not len(finite):
        raise XaibenchError(
            "The model puts out NaN or infinite values for every image; it cannot be explained."
        )
    return finite


def verified(shown: Reading, outputs: np.ndarray, scores: Callable[[], np.ndarray]) -> None:
    """Compare scores with the model's own outputs `[n units]` on real images, once these bear out how they were read.

    Raises XaibenchError where they differ.
    """
    wrong = np.count_nonzero(~np.isfinite(outputs).all(axis=1))
    if wrong:
        raise XaibenchError(
            f"The model puts out NaN or infinite values for {wrong} of {len(outputs)} images; it cannot be explained."
        )
    if not shown.fits(outputs):
        what = "probabilities" if shown.probabilities else "logits"
        raise XaibenchError(
            f"The model's outputs were read as {what}, but on these images they run from {outputs.min():.3g} to "
            f"{outputs.max():.3g}; say what they are: --activation softmax, sigmoid or none."
        )
    if np.abs(shown.scores(outputs) - scores()).max() > TOLERANCE:
        raise XaibenchError(
            "The model's own outputs differ from those of its operations called one by one, as explainers need them; "
            "it cannot be explained."
        )
