"""Finds the logits of a model: before its softmax or sigmoid, or read back from its probabilities."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
import tensorflow as tf

from xaibench.api import XaibenchError
from xaibench.classifiers.keras import activations, heads
from xaibench.classifiers.keras.flat import FlatModel, Step
from xaibench.classifiers.keras.stripping import stripped_step
from xaibench.classifiers.probabilities import are_probabilities, are_within_bounds, softmax

Outputs = Callable[[], np.ndarray]
"""The model's own outputs on some images, `[m units]`; asked only if the layers do not tell enough."""


class Shown(StrEnum):
    """What the model itself puts out."""

    PROBABILITIES = "probabilities"
    LOG_PROBABILITIES = "log-probabilities"
    LOGITS = "logits"


@dataclass(frozen=True)
class Ending:
    """How a model ends, and what its classes are."""

    raw: Any
    """Symbolic tensor that logits and scores are made from."""
    units: int
    """Values of `raw` for an image."""
    to_logits: heads.Head
    """From `[n units]` to `[n k]`."""
    to_scores: heads.Head
    """From `[n units]` to `[n k]`."""
    shown: Shown = Shown.PROBABILITIES
    exclusive: bool = True
    stripped: Step | None = None
    """The last step, if `raw` is its weighted sums without its activation."""
    note: str = ""
    """What a reader must know of how the model was read; empty if there is nothing to say."""

    @property
    def n_classes(self) -> int:
        """Number of classes; one unit counts as two."""
        return max(self.units, 2)

    @property
    def is_read_back(self) -> bool:
        """Whether the logits come from probabilities."""
        return self.to_logits in heads.READ_BACK

    def logits(self, raw: Any) -> Any:
        """Logits `[n k]` of values of `raw`."""
        return self.to_logits(heads.rows(self.units)(raw))

    def scores(self, raw: Any) -> Any:
        """Scores `[n k]` of values of `raw`."""
        return self.to_scores(heads.rows(self.units)(raw))

    def expected_scores(self, outputs: np.ndarray) -> np.ndarray:
        """Scores `[n k]` that belong to outputs `[n units]` of the model."""
        if self.shown is Shown.LOGITS:
            return softmax(outputs)
        scores = np.exp(outputs) if self.shown is Shown.LOG_PROBABILITIES else outputs
        return np.concatenate([1 - scores, scores], axis=1) if self.units == 1 else scores

    def fits(self, outputs: np.ndarray) -> bool:
        """Tell whether outputs of the model are what it was read as."""
        if self.units == 1 or not self.exclusive or self.shown is Shown.LOG_PROBABILITIES:
            return True
        return are_probabilities(outputs) == (self.shown is Shown.PROBABILITIES)


def read_ending(flat: FlatModel, outputs: Outputs) -> Ending:
    """Find the logits. Raises XaibenchError in one sentence for a model that is no classifier."""
    units = _units(flat.output)
    last = _last_step(flat)
    if last is not None and activations.activation(last) == "softmax" and units == 1:
        raise XaibenchError(
            "The model ends in a softmax over one unit, which is always 1; use sigmoid, or two units."
        )
    seen = _seen(last, units) if last is not None else None
    return seen or _read_back(flat, units, outputs())


def _units(output: Any) -> int:
    sizes = output.shape[1:]
    if None in sizes or math.prod(sizes) != max(sizes, default=1):
        raise XaibenchError(
            f"The model puts out {tuple(output.shape)}; a classifier puts out one row of class scores."
        )
    return max(sizes, default=1)


def _last_step(flat: FlatModel) -> Step | None:
    """Last step that changes values."""
    step = flat.producer(flat.output)
    while step is not None and activations.keeps_values(step):
        step = flat.producer(step.input)
    return step


# ---------------------------------------------------------------- softmax or sigmoid can be seen


def _seen(last: Step, units: int) -> Ending | None:
    """Ending whose softmax or sigmoid can be seen."""
    name = activations.activation(last)
    found: Ending | None = None
    if name in ("softmax", "log_softmax") and activations.is_over_classes(last):
        found = _of_logits(last.input, units)
    if name == "sigmoid":
        found = _of_logits(last.input, units) if units == 1 else _of_findings(last.input, units)
    if found is not None and name == "log_softmax":
        found = replace(found, shown=Shown.LOG_PROBABILITIES, note=LOG_PROBABILITIES)
    if found is None or activations.is_activation_alone(last):
        return found
    without = stripped_step(last)
    return replace(found, raw=without.output, stripped=without) if without else None


LOG_PROBABILITIES = "The model puts out log-probabilities; its scores are their exponentials."


def _of_logits(raw: Any, units: int) -> Ending:
    """Classes that exclude each other; one unit is the logit of the second of two."""
    to_logits = heads.two_logits if units == 1 else tf.identity
    return Ending(raw, units, to_logits, lambda values: tf.nn.softmax(to_logits(values)))


def _of_findings(raw: Any, units: int) -> Ending:
    """Classes each on its own."""
    note = "The model has a sigmoid for each class: its classes do not exclude each other."
    return Ending(raw, units, tf.identity, tf.sigmoid, exclusive=False, note=note)


# ---------------------------------------------------------------- known by its values


def _read_back(flat: FlatModel, units: int, outputs: np.ndarray) -> Ending:
    """Ending that is known by its values. Raises XaibenchError where they are neither probabilities nor logits."""
    sources = _sources(flat)
    found = _of_one(flat, sources, outputs) if units == 1 else _of_several(flat, units, sources, outputs)
    if found is None:
        raise XaibenchError(_refusal(units, sources, outputs))
    return found


def _of_one(flat: FlatModel, sources: set[str], outputs: np.ndarray) -> Ending | None:
    if not (are_within_bounds(outputs) and sources <= {"sigmoid", "softmax"}):
        return None
    return Ending(flat.output, 1, heads.two_log_odds, heads.two_scores, note=_note(flat, "log-odds"))


def _of_several(flat: FlatModel, units: int, sources: set[str], outputs: np.ndarray) -> Ending | None:
    if are_probabilities(outputs):
        return Ending(flat.output, units, heads.log_p, tf.identity, note=_note(flat, "log p"))
    if are_probabilities(np.exp(np.minimum(outputs, 1))):
        return replace(_of_logits(flat.output, units), shown=Shown.LOG_PROBABILITIES, note=LOG_PROBABILITIES)
    if sources == {activations.LINEAR}:
        note = (
            "The model ends without softmax or sigmoid; its outputs are taken as logits of exclusive classes."
        )
        return replace(_of_logits(flat.output, units), shown=Shown.LOGITS, note=note)
    if are_within_bounds(outputs) and sources == {"sigmoid"}:
        note = _note(flat, "log-odds")
        return Ending(flat.output, units, heads.log_odds, tf.identity, exclusive=False, note=note)
    return None


def _sources(flat: FlatModel) -> set[str]:
    """Activations, or `linear` for bare layers with weights, that the output is a weighted sum of."""
    found: set[str] = set()
    waiting = [flat.output]
    while waiting:
        step = flat.producer(waiting.pop())
        name = activations.activation(step) if step is not None else None
        if step is None:
            found.add("the image itself")
        elif name not in (None, activations.LINEAR):
            found.add(str(name))
        elif getattr(step.layer, "weights", None):
            found.add(activations.LINEAR)
        elif activations.mixes_linearly(step):
            waiting += step.inputs
        else:
            found.add(activations.kind(step))
    return found


def _note(flat: FlatModel, how: str) -> str:
    step = flat.producer(flat.output)
    where = f"its last step, {step.name!r}" if step is not None else "its last step"
    return f"The model's logits cannot be seen behind {where}; they are read back from its probabilities ({how})."


def _refusal(units: int, sources: set[str], outputs: np.ndarray) -> str:
    if units == 1 and sources == {activations.LINEAR}:
        return (
            "The model puts out one number without a sigmoid: a regression, or a logit that does not say so; "
            "end it in a sigmoid if it is a classifier."
        )
    return (
        f"The model ends in {' and '.join(sorted(sources))}, and its outputs ({outputs.min():.3g} to "
        f"{outputs.max():.3g} on made-up images) are neither probabilities nor logits; end it in softmax or sigmoid."
    )
