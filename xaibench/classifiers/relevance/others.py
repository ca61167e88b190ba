"""Rules for what has no learnt weights."""

from typing import Any

from xaibench.classifiers.relevance.call import Call
from xaibench.classifiers.relevance.sums import stabilised


def gradient(call: Call, relevance: Any) -> list[Any]:
    """The chain rule; for what is only moved, and for a maximum, the value that went through takes all."""
    return call.tensors.vjp(call.node.forward, [*call.inputs], relevance)


def unchanged(call: Call, relevance: Any) -> list[Any]:
    """An activation of single values passes all on."""
    return [relevance]


def share(call: Call, relevance: Any) -> list[Any]:
    """Each input of a fixed sum takes the share that it has in it, with its sign."""
    return _shared(call, [*call.inputs], relevance)


def share_of_one_sign(call: Call, relevance: Any) -> list[Any]:
    """Each input of a fixed sum takes its share among those that have the sign of the sum."""
    is_above = call.output >= 0
    above = _shared(
        call, [call.tensors.positive(x) for x in call.inputs], call.tensors.where(is_above, relevance, 0.0)
    )
    if call.nonnegative:
        return above
    below = _shared(
        call, [call.negative(x) for x in call.inputs], call.tensors.where(is_above, 0.0, relevance)
    )
    return [one + other for one, other in zip(above, below, strict=True)]


def _shared(call: Call, inputs: list[Any], relevance: Any) -> list[Any]:
    shares = relevance / stabilised(call, call.node.forward(*inputs))
    return [
        x * back for x, back in zip(inputs, call.tensors.vjp(call.node.forward, inputs, shares), strict=True)
    ]


def guided_relu(call: Call, relevance: Any) -> list[Any]:
    """The gradient where it and the input are above 0 (Springenberg et al. 2015, fig. 1)."""
    return [call.tensors.positive(call.tensors.vjp(call.node.forward, [*call.inputs], relevance)[0])]


def deconvolved_relu(call: Call, relevance: Any) -> list[Any]:
    """The gradient where it is above 0, whatever the input was (Zeiler and Fergus 2014)."""
    return [call.tensors.positive(relevance)]
