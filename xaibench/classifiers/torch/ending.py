"""Finds the logits of a program: before its softmax or sigmoid, or by the values of its outputs."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.fx import Node

from xaibench.api import XaibenchError
from xaibench.classifiers.outputs import Activation, Reading, read_outputs
from xaibench.classifiers.probabilities import LEAST, MOST
from xaibench.classifiers.torch.layers import is_convolution, kind, made_from
from xaibench.classifiers.torch.program import Program, shape_of

WEIGHTED = frozenset({"linear", "addmm", "matmul", "mm", "einsum", "bmm", "baddbmm"})
SOFTMAX, SIGMOID = frozenset({"softmax", "_softmax"}), frozenset({"sigmoid"})


@dataclass(frozen=True, eq=False)
class Ending:
    """How a program ends."""

    raw: Node
    """Node that logits and scores are made from."""
    reading: Reading
    """How the values of `raw` are read."""
    shown: Reading
    """How the program's own outputs are read."""

    def rows(self, raw: torch.Tensor) -> torch.Tensor:
        """Values `[n units]` of `raw`, float32."""
        return raw.float().reshape(len(raw), self.reading.units)

    def logits(self, raw: torch.Tensor) -> torch.Tensor:
        """Logits `[n k]` of values of `raw`; as `Reading.logits`, with a gradient."""
        values = self.rows(raw)
        if self.reading.probabilities:
            read_back = _log_odds if self.reading.units == 1 or not self.reading.exclusive else _log_p
            values = read_back(values)
        return torch.cat([-values / 2, values / 2], dim=1) if self.reading.units == 1 else values


def _log_p(p: torch.Tensor) -> torch.Tensor:
    return p.clamp(min=LEAST).log()


def _log_odds(p: torch.Tensor) -> torch.Tensor:
    kept = p.clamp(LEAST, MOST)
    return kept.log() - torch.log1p(-kept)


def read_ending(program: Program, activation: Activation, outputs: Callable[[], np.ndarray]) -> Ending:
    """Find the logits; `outputs` gives the program's own on made-up images.

    Raises XaibenchError in one sentence for what is no classifier, and where a told activation would be a second one.
    """
    units = _units(program.output)
    last = made_from(program.output)
    name = kind(last)
    if name not in SOFTMAX | SIGMOID or (name in SOFTMAX and not _is_over_classes(last, units)):
        weighted = name in WEIGHTED or is_convolution(last)
        reading = read_outputs(outputs(), activation, weighted)
        return Ending(program.output, reading, reading)
    return _seen(last, units, activation)


def _seen(last: Node, units: int, activation: Activation) -> Ending:
    """Ending whose softmax or sigmoid can be seen."""
    name = "softmax" if kind(last) in SOFTMAX else "sigmoid"
    if activation in ("softmax", "sigmoid"):
        raise XaibenchError(f"The model ends in a {name} already; leave --activation {activation} out.")
    if name == "softmax" and units == 1:
        raise XaibenchError(
            "The model ends in a softmax over one unit, which is always 1; use sigmoid, or two units."
        )
    exclusive = name == "softmax" or units == 1
    note = (
        "" if exclusive else "The model has a sigmoid for each class: its classes do not exclude each other."
    )
    reading = Reading(units, False, exclusive, note)
    (raw,) = last.all_input_nodes
    return Ending(raw, reading, replace(reading, probabilities=True))


def _units(output: Node) -> int:
    sizes = [size or 0 for size in shape_of(output)[1:]]
    if not shape_of(output) or math.prod(sizes) != max(sizes, default=1) or 0 in sizes:
        raise XaibenchError(
            f"The model puts out {shape_of(output)}; a classifier puts out one row of class scores."
        )
    return max(sizes, default=1)


def _is_over_classes(softmax: Node, units: int) -> bool:
    axis = softmax.args[1]
    return isinstance(axis, int) and shape_of(softmax)[axis] == units
