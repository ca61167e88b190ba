"""What a Keras model takes: preprocessing put before it, and whether images suit its own first layers."""

from typing import Any

import keras
import numpy as np

from xaibench.api import Images, Preprocessing
from xaibench.classifiers.keras.activations import kind
from xaibench.classifiers.keras.flat import Step
from xaibench.classifiers.keras.graph import Graph
from xaibench.classifiers.keras.relevance.network import preprocessing as single_pixel_steps

ADDED = "xaibench_preprocessing"
STANDARDISING = frozenset({"Normalization", "BatchNormalization"})
UNIT = 1.1
"""Largest absolute value, with a tenth to spare, of pixels that are scaled to 0 .. 1 or -1 .. 1."""
DEVIATIONS = 20
"""Standard deviations beyond which no pixel of a standardised image should lie."""
LEAST_SPREAD = 0.05
"""Least distance of the lowest and the highest of scaled pixels: 8 bits read as 0 .. 1 would show 0.004."""


def preprocessed_model(model: Any, preprocessing: Preprocessing) -> Any:
    """Return a model of the same layers behind a rescaling, and a flip of the channels where it is asked for."""
    image = keras.Input(model.inputs[0].shape[1:])
    factor, offset = list(preprocessing.factor), list(preprocessing.offset)
    seen = keras.layers.Rescaling(factor, offset, name=ADDED)(image)
    if preprocessing.reverses_channels:
        seen = keras.ops.flip(seen, axis=-1)
    return keras.Model(image, model(seen))


def input_notes(graph: Graph, images: Images) -> list[str]:
    """Say where images are not what the model's own first layers were made for; nothing where that cannot be told."""
    steps = single_pixel_steps(graph.image, graph.steps_to_the_end())
    added = sum(step.name == ADDED for step in steps)
    own = steps[added:]
    kinds = {kind(step) for step in own} - {"Cast"}
    if not kinds or not kinds <= {"Rescaling", *STANDARDISING}:
        return []
    before = graph.inner(steps[0].output)(images)[0] if added else images
    taken = np.asarray(before, np.float32)
    given = np.asarray(graph.inner(own[-1].output)(images)[0], np.float32)
    suits = _is_standardised(given) if kinds & STANDARDISING else _is_scaled(own, taken, given)
    if suits:
        return []
    names = ", ".join(dict.fromkeys(step.name for step in own))
    return [
        f"The model's first layers ({names}) turn the pixels of these images, {taken.min():.4g} to {taken.max():.4g}, "
        f"into {given.min():.4g} to {given.max():.4g}, which is hardly what it was trained on; say how images were "
        f"scaled in its training, with --scale and --image-range."
    ]


def _is_standardised(given: np.ndarray) -> bool:
    spread = float(given.max() - given.min())
    return spread > LEAST_SPREAD and float(np.abs(given).max()) < DEVIATIONS


def _is_scaled(own: list[Step], taken: np.ndarray, given: np.ndarray) -> bool:
    """Whether the smaller side of the rescaling, usually what comes out of it, lies within -1 .. 1."""
    grows = any(np.max(np.abs(step.layer.scale)) > 1 for step in own if kind(step) == "Rescaling")
    unit = taken if grows else given
    return float(np.abs(unit).max()) < UNIT and float(unit.max() - unit.min()) > LEAST_SPREAD
