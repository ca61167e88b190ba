"""The model's own outputs, as it gives them by itself."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from xaibench.api import XaibenchError
from xaibench.classifiers.keras.ending import Ending
from xaibench.classifiers.probabilities import TOLERANCE


def outputs_of(model: Any, images: np.ndarray) -> np.ndarray:
    """Outputs `[n units]` of the model itself, float32."""
    # A Sequential model takes images alone; another takes its input as it was spelled, such as in a list.
    spelled = model.inputs[0] if isinstance(model, keras.Sequential) else model.input
    as_spelled = keras.tree.map_structure(lambda _: images, spelled)
    (output,) = keras.tree.flatten(model(as_spelled, training=False))
    rows: np.ndarray = keras.ops.convert_to_numpy(output).astype(np.float32)
    return rows.reshape(len(images), -1)


def probed(model: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Finite outputs of the model for made-up images. Raises XaibenchError where there are none."""
    rows = outputs_of(model, probe_images(shape))
    finite: np.ndarray = rows[np.isfinite(rows).all(axis=1)]
    if not len(finite):
        raise XaibenchError(
            "The model puts out NaN or infinite values for every image; it cannot be explained."
        )
    return finite


def probe_images(shape: tuple[int, ...]) -> np.ndarray:
    """Images `[6 *shape]` of several intensity scales: noise in 0 .. 1, 0 .. 255 and around 0, black, white, a ramp."""
    rng = np.random.default_rng(0)
    noise = rng.random(shape)
    ramp = np.linspace(0, 1, noise.size).reshape(shape)
    made = [noise, 255 * rng.random(shape), rng.normal(size=shape), 0 * noise, 0 * noise + 1, ramp]
    return np.stack(made).astype(np.float32)


def verified(ending: Ending, outputs: np.ndarray, scores: Callable[[], np.ndarray]) -> list[str]:
    """What a reader must know of how a model was read, once its outputs on real images have borne it out.

    Raises XaibenchError where they do not.
    """
    wrong = np.count_nonzero(~np.isfinite(outputs).all(axis=1))
    if wrong:
        raise XaibenchError(
            f"The model puts out NaN or infinite values for {wrong} of {len(outputs)} images; it cannot be explained."
        )
    if not ending.fits(outputs):
        raise XaibenchError(
            f"The model's outputs were read as {ending.shown.value}, but on these images they run from "
            f"{outputs.min():.3g} to {outputs.max():.3g}; end the model in a softmax or sigmoid layer."
        )
    expected = ending.expected_scores(outputs)
    found = scores()
    if expected.shape != found.shape or np.abs(expected - found).max() > TOLERANCE:
        raise XaibenchError(
            "The model's own outputs differ from those of its layers called one by one, as explainers need them; "
            "it cannot be explained. Rebuild it from standard layers."
        )
    return [ending.note] if ending.note else []
