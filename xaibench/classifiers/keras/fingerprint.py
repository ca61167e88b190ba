"""What a model is, whatever it and its layers are called."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from xaibench.classifiers.keras.flat import FlatModel, Step
from xaibench.classifiers.source import source_hash


def fingerprint(flat: FlatModel, weights: Sequence[Any]) -> str:
    """Hash of layers, their connections, their weights and our code."""
    digest = hashlib.sha256(source_hash().encode())
    tensors = [flat.image, *(output for step in flat.steps for output in step.outputs)]
    numbers = {id(tensor): number for number, tensor in enumerate(tensors)}
    for step in flat.steps:
        digest.update(f"{type(step.layer).__name__} {_settings(step)} {_arguments(step, numbers)}".encode())
    for weight in weights:
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()


def _settings(step: Step) -> str:
    try:
        config = step.layer.get_config()
    except NotImplementedError:  # an operation whose arguments are all in its call
        config = {}
    return json.dumps(
        {key: value for key, value in config.items() if key != "name"}, sort_keys=True, default=str
    )


def _arguments(step: Step, numbers: dict[int, int]) -> str:
    def shown(part: Any) -> str:
        if isinstance(part, keras.KerasTensor):
            return f"#{numbers[id(part)]}"
        return repr(part.tolist() if isinstance(part, np.ndarray) else part)

    return str(keras.tree.map_structure(shown, (step.args, step.kwargs)))
