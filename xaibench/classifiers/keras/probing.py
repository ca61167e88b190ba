"""The model's own outputs, as it gives them by itself."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from xaibench.api import XaibenchError
from xaibench.classifiers.keras.ending import Ending
from xaibench.classifiers.probabilities import TOLERANCE
from xaibench.classifiers.probing import finite_rows, probe_images


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
    return finite_rows(outputs_of(model, probe_images(shape)))


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
