"""Rules for weighted sums: each sends the relevance R of the outputs z to the inputs x, in shares.

W+ and W- are the positive and negative parts of the weights, x+ and x- those of the inputs.
"""

from typing import Any

from xaibench.classifiers.relevance.call import Call

GAMMA = 0.25
"""How much positive contributions are favoured (Montavon et al. 2019, sec. 10.2.1); a usual value."""
EPSILON = 1e-6
"""Keeps divisions finite; times the mean output, so small that no relevance to speak of is lost."""
LEAST = 1e-20  # where all outputs are 0

Weights = tuple[Any, Any, Any]
"""Kernel for inputs above 0, kernel for those below 0, and bias."""


def stabilised(call: Call, z: Any) -> Any:
    """Z, a little further from 0."""
    little = EPSILON * call.tensors.level(z) + LEAST
    return call.tensors.where(z >= 0, z + little, z - little)


def epsilon(call: Call, relevance: Any) -> list[Any]:
    """R_i = sum_j x_i w_ij / (z_j + eps sign z_j) R_j (Bach et al. 2015, eq. 58); the bias keeps its share."""
    kernel, bias = call.node.weights()
    (x,) = call.inputs
    return [x * _back(call, kernel, relevance / stabilised(call, call.product(x, kernel) + bias))]


def gamma(call: Call, relevance: Any) -> list[Any]:
    """Epsilon with W + 0.25 W+ (Montavon et al. 2019, sec. 10.2.1), what has the sign of the output being favoured.

    That is how Andeol et al. 2021 extend the rule to inputs and outputs below 0.
    """
    kernel, bias = call.node.weights()
    plus, minus = kernel + GAMMA * call.tensors.positive(kernel), kernel + GAMMA * call.negative(kernel)
    above = plus, minus, bias + GAMMA * call.tensors.positive(bias)
    below = minus, plus, bias + GAMMA * call.negative(bias)
    return [_by_sign(call, above, below, relevance)]


def z_plus(call: Call, relevance: Any) -> list[Any]:
    """R_i = sum_j x_i w+_ij / sum_i' x_i' w+_i'j R_j (Montavon et al. 2017, z+ rule).

    Inputs below 0 count with W-: the rule shares among positive contributions alone. Outputs below 0, which the paper
    has none of, share among the negative ones: they are treated as the outputs of -W.
    """
    kernel, _ = call.node.weights()
    plus, minus = call.tensors.positive(kernel), call.negative(kernel)
    return [_by_sign(call, (plus, minus, 0.0), (minus, plus, 0.0), relevance)]


def z_box(call: Call, relevance: Any) -> list[Any]:
    """R_i = sum_j (x_i w_ij - l_i w+_ij - h_i w-_ij) / (the same, summed over i) R_j (Montavon et al. 2017, zB rule).

    The box l .. h is the range of the image's own preprocessed values, channel by channel.
    """
    kernel, _ = call.node.weights()
    (x,), (low, high) = call.inputs, call.box
    plus, minus = call.tensors.positive(kernel), call.negative(kernel)
    z = call.product(x, kernel) - call.product(low, plus) - call.product(high, minus)
    shares = relevance / stabilised(call, z)
    back = [_back(call, weights, shares) for weights in (kernel, plus, minus)]
    return [x * back[0] - low * back[1] - high * back[2]]


def _by_sign(call: Call, above: Weights, below: Weights, relevance: Any) -> Any:
    """Shares by some weights in outputs above 0, by others in those below 0, which nothing reaches behind a ReLU."""
    if call.rectified:
        return _split(call, *above, relevance)
    is_above = call.output >= 0
    of_positive = _split(call, *above, call.tensors.where(is_above, relevance, 0.0))
    return of_positive + _split(call, *below, call.tensors.where(is_above, 0.0, relevance))


def _split(call: Call, for_positive: Any, for_negative: Any, bias: Any, relevance: Any) -> Any:
    """Shares of inputs above 0 by some weights, and of those below 0 by others."""
    (x,) = call.inputs
    if call.nonnegative:
        return x * _back(
            call, for_positive, relevance / stabilised(call, call.product(x, for_positive) + bias)
        )
    above, below = call.tensors.positive(x), call.negative(x)
    z = call.product(above, for_positive) + call.product(below, for_negative) + bias
    shares = relevance / stabilised(call, z)
    return above * _back(call, for_positive, shares) + below * _back(call, for_negative, shares)


def _back(call: Call, kernel: Any, shares: Any) -> Any:
    """Sum_j w_ij s_j."""
    (found,) = call.tensors.vjp(lambda x: call.product(x, kernel), [*call.inputs], shares)
    return found
