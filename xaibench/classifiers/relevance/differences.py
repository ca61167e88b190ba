"""DeepLIFT's rescale rule (Shrikumar et al. 2017): multipliers from differences to a baseline."""

from typing import Any

from xaibench.classifiers.relevance.call import Call

NEARLY_NONE = 1e-6
"""Differences below it, times the mean input, are rounding; the gradient stands in for the multiplier."""


def rescale(call: Call, multiplier: Any) -> list[Any]:
    """m_in = m_out (y - y0) / (x - x0) (sec. 3.5.2), for activations of single values."""
    change, changed = _change(call)
    slope = (call.output - call.reference.output) / call.tensors.where(changed, change, 1.0)
    (plain,) = call.tensors.vjp(call.node.forward, [*call.inputs], multiplier)
    return [call.tensors.where(changed, multiplier * slope, plain)]


def rescale_maximum(call: Call, multiplier: Any) -> list[Any]:
    """The change of a maximum goes to where the larger of the two maxima is.

    If it rose, all of y - y0 belongs to the value that is the maximum now, else to the one that was it in the
    baseline; so the contributions sum to m_out (y - y0), which sharing between the two places would not ensure.
    """
    change, changed = _change(call)
    now, before = call.output, call.reference.output
    rise, fall = call.tensors.positive(now - before), call.negative(now - before)
    there = call.tensors.like(call.reference.inputs[0], call.inputs[0])
    (of_rise,) = call.tensors.vjp(call.node.forward, [*call.inputs], multiplier * rise)
    (of_fall,) = call.tensors.vjp(call.node.forward, [there], multiplier * fall)
    return [call.tensors.where(changed, (of_rise + of_fall) / call.tensors.where(changed, change, 1.0), 0.0)]


def _change(call: Call) -> tuple[Any, Any]:
    change = call.inputs[0] - call.reference.inputs[0]
    return change, abs(change) > NEARLY_NONE * call.tensors.level(call.inputs[0])
