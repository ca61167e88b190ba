"""A model that classifiers of the same layers share, so that nothing is traced twice."""

from collections.abc import Sequence
from typing import Any

import numpy as np


class SharedModel:
    """The variables of one model and the weights that they hold now."""

    def __init__(self, model: Any) -> None:
        self.variables = model.weights
        self.active = [np.asarray(weight) for weight in model.get_weights()]

    def activate(self, weights: list[np.ndarray]) -> None:
        """Assign the weights that are not active yet; equal ones are one object (see `with_known`)."""
        if weights is self.active:
            return
        for variable, wanted, there in zip(self.variables, weights, self.active, strict=True):
            if wanted is not there:
                variable.assign(wanted)
        self.active = weights


def with_known(weights: Sequence[np.ndarray], known: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Weights with the known object in place of each equal array: a frozen backbone is kept and assigned once."""
    return [
        old if np.array_equal(old, new) else np.asarray(new) for old, new in zip(known, weights, strict=True)
    ]
