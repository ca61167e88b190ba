"""A layer of weighted sums without the activation that it ends in."""

from dataclasses import dataclass, replace
from typing import Any

import keras

from xaibench.classifiers.keras.flat import Step


@dataclass(frozen=True)
class WithoutActivation:
    """A dense layer's own weights without its activation; stands in a step as a layer does."""

    layer: Any

    @property
    def name(self) -> str:
        """Name of the layer."""
        return str(self.layer.name)

    def __call__(self, inputs: Any) -> Any:
        """Weighted sums and bias."""
        sums = keras.ops.matmul(inputs, self.layer.kernel)
        return sums if self.layer.bias is None else keras.ops.add(sums, self.layer.bias)


def stripped_step(step: Step) -> Step | None:
    """The same call of a dense layer without its activation; None for another layer."""
    if not isinstance(step.layer, keras.layers.Dense):
        return None
    output = keras.KerasTensor(step.output.shape, dtype=step.output.dtype)
    return replace(step, layer=WithoutActivation(step.layer), outputs=(output,))
