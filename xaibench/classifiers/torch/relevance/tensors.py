"""What rules do with tensors beside arithmetic, by PyTorch."""

from collections.abc import Callable
from typing import Any

import torch


class TorchTensors:
    """See `xaibench.classifiers.relevance.tensors.Tensors`."""

    def vjp(self, function: Callable[..., Any], inputs: list[Any], seed: Any) -> list[Any]:
        """Gradient of `sum(function(*inputs) * seed)` with respect to each input; 0 where there is none."""
        leaves = [values.detach().requires_grad_() for values in inputs]
        with torch.enable_grad():
            output = function(*leaves)
        if not output.requires_grad:
            return [torch.zeros_like(leaf) for leaf in leaves]
        return list(torch.autograd.grad(output, leaves, seed, allow_unused=True, materialize_grads=True))

    def where(self, condition: Any, if_true: Any, if_false: Any) -> Any:
        """Values of one where a condition holds, of another elsewhere."""
        return torch.where(condition, if_true, if_false)

    def positive(self, values: Any) -> Any:
        """Values above 0, and 0 elsewhere."""
        return torch.relu(values)

    def level(self, values: Any) -> Any:
        """Mean magnitude of each image's values."""
        return values.abs().mean(dim=list(range(1, values.ndim)), keepdim=True)

    def box(self, seen: Any) -> tuple[Any, Any]:
        """Range of each image's own values, channel by channel."""
        axes = list(range(2, seen.ndim))
        return seen.amin(axes, keepdim=True).expand_as(seen), seen.amax(axes, keepdim=True).expand_as(seen)

    def like(self, one: Any, many: Any) -> Any:
        """One image's values for each of many images."""
        return one.expand_as(many)

    def of_targets(self, logits: Any, targets: Any) -> Any:
        """Logit of each image's target."""
        return logits.gather(1, targets[:, None])[:, 0]

    def ones(self, targets: Any) -> Any:
        """A 1 for each target."""
        return torch.ones(len(targets))
