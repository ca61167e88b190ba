"""Fresh weights for the layers of a model, from the output down."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from xaibench.api import seed_of
from xaibench.classifiers.keras.flat import Step


def layers_with_weights(steps: Sequence[Step]) -> dict[str, Step]:
    """First call of each layer that learnt weights, from the output down, by a name that no two of them share."""
    found: dict[str, Step] = {}
    for step in reversed(steps):
        if _has_learnt(step.layer) and not any(step.layer is other.layer for other in found.values()):
            found[_unused(step.name, found)] = step
    return found


def _has_learnt(layer: Any) -> bool:
    return bool(getattr(layer, "weights", None)) and not isinstance(layer, keras.layers.Normalization)


def _unused(name: str, used: dict[str, Step]) -> str:
    same = sum(other.split("#")[0] == name for other in used)
    return f"{name}#{same + 1}" if same else name


def fresh_weights(step: Step, seed: int, name: str) -> list[np.ndarray]:
    """Weights of a layer as its own initialisers draw them, from (seed, name) alone."""
    with _seeded(seed_of(seed, name)):
        layer = type(step.layer).from_config(_without_seeds(step.layer.get_config()))
        args, kwargs = keras.tree.map_structure(_unconnected, (step.args, step.kwargs))
        layer(*args, **kwargs)  # builds it
    weights: list[np.ndarray] = layer.get_weights()
    return weights


def _unconnected(part: Any) -> Any:
    return keras.KerasTensor(part.shape, dtype=part.dtype) if isinstance(part, keras.KerasTensor) else part


def _without_seeds(config: Any) -> Any:
    """Configuration whose initialisers take the seeds that they are given when the layer is made."""
    if isinstance(config, dict):
        return {key: None if key == "seed" else _without_seeds(value) for key, value in config.items()}
    return config


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Keras' initialisers without a seed draw one from Python's own generator."""
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)
