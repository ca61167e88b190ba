"""What the outputs of a model mean, where its last layer does not show it: read by their values, or as told."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit

from xaibench.api import XaibenchError
from xaibench.classifiers.probabilities import (
    are_probabilities,
    are_within_bounds,
    log_odds,
    log_probabilities,
    softmax,
)

Activation = Literal["", "softmax", "sigmoid", "none"]
"""What turns the outputs into probabilities; `none` if they are probabilities, empty if their values are to tell."""


@dataclass(frozen=True)
class Reading:
    """How outputs `[n units]` are read."""

    units: int
    probabilities: bool
    """Whether the outputs are probabilities; else they are logits."""
    exclusive: bool
    """Whether an image has exactly one class; always so for one unit, which counts as two classes."""
    note: str = ""
    """What a reader must know of it; empty if there is nothing to say."""

    @property
    def n_classes(self) -> int:
        """Number of classes; one unit counts as two."""
        return max(self.units, 2)

    def scores(self, outputs: np.ndarray) -> np.ndarray:
        """Class probabilities `[n k]`."""
        if self.units == 1:
            scores = outputs if self.probabilities else expit(outputs)
            return np.concatenate([1 - scores, scores], axis=1)
        if self.probabilities:
            return outputs
        found: np.ndarray = softmax(outputs) if self.exclusive else expit(outputs)
        return found

    def logits(self, outputs: np.ndarray) -> np.ndarray:
        """Class logits `[n k]`; one unit z is the two logits -z/2 and z/2."""
        if self.units == 1:
            z = log_odds(outputs) if self.probabilities else outputs
            return np.concatenate([-z / 2, z / 2], axis=1)
        if not self.probabilities:
            return outputs
        return log_probabilities(outputs) if self.exclusive else log_odds(outputs)

    def fits(self, outputs: np.ndarray) -> bool:
        """Tell whether other outputs of the model may be read so, too."""
        if not self.probabilities:
            return self.units == 1 or not are_probabilities(outputs)
        return are_probabilities(outputs) if self.exclusive and self.units > 1 else are_within_bounds(outputs)


AS_LOGITS = "The model ends without softmax or sigmoid; its outputs are taken as logits"
READ_BACK = "The model's logits cannot be seen; they are read back from its probabilities"


def read_outputs(outputs: np.ndarray, activation: Activation, weighted: bool = False) -> Reading:
    """How outputs `[n units]` on made-up images are to be read.

    `weighted` says that the model is known to end in weighted sums, which are logits whatever their values are.
    Raises XaibenchError where the values contradict what is told, or tell too little: never a softmax of a softmax.
    """
    if activation == "none":
        return _told_probabilities(outputs)
    if activation:
        return _told_logits(outputs, activation, weighted)
    units = outputs.shape[1]
    if weighted or not are_within_bounds(outputs):
        return _as_logits(outputs)
    if units == 1:
        return Reading(1, True, True, f"{READ_BACK} (log-odds).")
    if are_probabilities(outputs):
        return Reading(units, True, True, f"{READ_BACK} (log p).")
    raise XaibenchError(
        f"The model's {units} outputs lie between {outputs.min():.3g} and {outputs.max():.3g} on made-up images and "
        f"do not sum to 1: say what they are, --activation none (a probability each), softmax or sigmoid."
    )


def _as_logits(outputs: np.ndarray) -> Reading:
    units = outputs.shape[1]
    if units == 1:
        return Reading(1, False, True, f"{AS_LOGITS} of the second of two classes (sigmoid).")
    if are_probabilities(np.exp(np.minimum(outputs, 1))):
        return Reading(
            units, False, True, "The model puts out log-probabilities; its scores are their exponentials."
        )
    return Reading(units, False, True, f"{AS_LOGITS} of exclusive classes (softmax).")


def _told_logits(outputs: np.ndarray, activation: Activation, weighted: bool) -> Reading:
    units = outputs.shape[1]
    if units == 1 and activation == "softmax":
        raise XaibenchError("A softmax over the model's one output is always 1; use --activation sigmoid.")
    if not weighted and are_within_bounds(outputs):
        raise XaibenchError(
            f"The model's outputs lie between 0 and 1 already ({outputs.min():.3g} to {outputs.max():.3g} on made-up "
            f"images), so a {activation} would be a second one; use --activation none."
        )
    exclusive = activation == "softmax" or units == 1
    note = (
        "" if exclusive else "The model has a sigmoid for each class: its classes do not exclude each other."
    )
    return Reading(units, False, exclusive, note)


def _told_probabilities(outputs: np.ndarray) -> Reading:
    if not are_within_bounds(outputs):
        raise XaibenchError(
            f"The model's outputs are no probabilities: they run from {outputs.min():.3g} to {outputs.max():.3g} on "
            f"made-up images; use --activation softmax or sigmoid."
        )
    units = outputs.shape[1]
    exclusive = units == 1 or are_probabilities(outputs)
    how = "log p" if exclusive and units > 1 else "log-odds"
    note = "" if exclusive else " Its classes do not exclude each other."
    return Reading(units, True, exclusive, f"{READ_BACK} ({how}).{note}")
