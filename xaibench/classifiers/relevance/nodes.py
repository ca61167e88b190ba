"""What a network is made of, as backward rules see it: weighted sums, fixed sums, moves, ReLUs and maxima."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Node(ABC):
    """One function of tensors, with the symbolic tensors that it connects."""

    name: str
    sources: tuple[Any, ...]
    target: Any

    @abstractmethod
    def forward(self, *inputs: Any) -> Any:
        """Output."""


@dataclass(frozen=True)
class Calculated(Node):
    """A node that is computed by a function of its inputs, which gives float32."""

    function: Callable[..., Any]

    def forward(self, *inputs: Any) -> Any:
        """Output."""
        return self.function(*inputs)


class Opaque(Calculated):
    """A layer that only gradients pass."""


class FixedSum(Calculated):
    """Weighted sums with positive weights that nobody learnt: average pooling, addition."""


class Move(Calculated):
    """Values go to other places: flatten, reshape, padding, concatenation."""


class Maximum(Calculated):
    """Maximum pooling."""


class Relu(Calculated):
    """max(0, x), perhaps bounded above."""


@dataclass(frozen=True)
class WeightedSum(Node):
    """Learnt weighted sums: `product(x, kernel) + bias`."""

    product: Callable[[Any, Any], Any]
    """Linear in both arguments."""
    weights: Callable[[], tuple[Any, Any]]
    """Kernel and bias (0 where there is none), read when they are needed: weights may change between calls."""
    by_output: Callable[[Any, Any], Any] = lambda scale, kernel: scale
    """Scale of each output channel as it multiplies the kernel."""

    def forward(self, *inputs: Any) -> Any:
        """Output."""
        (x,) = inputs
        kernel, bias = self.weights()
        return self.product(x, kernel) + bias


class Convolution(WeightedSum):
    """Convolution, plain or depthwise, perhaps with a batch norm folded into it."""


class Dense(WeightedSum):
    """Dense layer."""


class Scaling(WeightedSum):
    """Each channel times a number: a batch norm that follows no convolution, or a rescaling."""
