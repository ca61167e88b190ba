"""What rules do with tensors beside arithmetic: TensorFlow and PyTorch each bring these functions."""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Tensors(Protocol):
    """Functions of tensors `[n ...]` of one library."""

    def vjp(self, function: Callable[..., Any], inputs: list[Any], seed: Any) -> list[Any]:
        """Gradient of `sum(function(*inputs) * seed)` with respect to each input; 0 where there is none."""
        ...

    def where(self, condition: Any, if_true: Any, if_false: Any) -> Any:
        """Values of one tensor or number where a condition holds, of another elsewhere."""
        ...

    def positive(self, values: Any) -> Any:
        """Values above 0, and 0 elsewhere; of a number too."""
        ...

    def level(self, values: Any) -> Any:
        """Mean magnitude of each image's values `[n 1 ...]`: what is small and what is not depends on it."""
        ...

    def box(self, seen: Any) -> tuple[Any, Any]:
        """Range of each image's own values, channel by channel, in the shape of the images."""
        ...

    def like(self, one: Any, many: Any) -> Any:
        """One image's values `[1 ...]` for each of many images."""
        ...

    def of_targets(self, logits: Any, targets: Any) -> Any:
        """Logit of each image's target `[n]`."""
        ...

    def ones(self, targets: Any) -> Any:
        """A 1 for each target, `[n]`."""
        ...
