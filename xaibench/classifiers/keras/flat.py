"""A Keras model as one flat chain of steps, however deeply models are nested in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras


@dataclass(frozen=True)
class Step:
    """One call of a layer or operation, with the symbolic tensors that it connects."""

    layer: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: tuple[Any, ...]

    @property
    def inputs(self) -> list[Any]:
        """Symbolic tensors that go in."""
        found = keras.tree.flatten((self.args, self.kwargs))
        return [part for part in found if isinstance(part, keras.KerasTensor)]

    @property
    def input(self) -> Any:
        """First symbolic tensor that goes in; None if there is none."""
        return next(iter(self.inputs), None)

    @property
    def output(self) -> Any:
        """First symbolic tensor that comes out."""
        return self.outputs[0]

    @property
    def name(self) -> str:
        """Name of the layer."""
        return str(self.layer.name)

    def call(self, values: dict[int, Any], layer: Any = None) -> list[Any]:
        """Call the layer (or one in its place) on values by the id of the symbolic tensor they stand for."""

        def filled(part: Any) -> Any:
            return values[id(part)] if isinstance(part, keras.KerasTensor) else part

        args, kwargs = keras.tree.map_structure(filled, (self.args, self.kwargs))
        return list(keras.tree.flatten((layer or self.layer)(*args, **kwargs)))


@dataclass(frozen=True)
class FlatModel:
    """The same layers and weights on a symbolic image of our own.

    Its parts are run step by step: a `keras.Function` refuses layers of the same name, which the parts of a nested
    model often have.
    """

    image: Any
    steps: tuple[Step, ...]
    output: Any

    def producer(self, tensor: Any) -> Step | None:
        """Step that makes a tensor; None for the image."""
        return next((step for step in self.steps if any(part is tensor for part in step.outputs)), None)

    def between(self, start: Any, ends: Sequence[Any]) -> Callable[[Any], list[Any]]:
        """Function from the values of one symbolic tensor to those of others.

        Raises ValueError where an end does not depend on the start alone.
        """
        steps = self.steps_between(start, ends)

        def run(value: Any) -> list[Any]:
            values = {id(start): value}
            for step in steps:
                made = zip(step.outputs, step.call(values), strict=True)
                values |= {id(tensor): found for tensor, found in made}
            return [values[id(end)] for end in ends]

        return run

    def steps_between(self, start: Any, ends: Sequence[Any]) -> list[Step]:
        """Steps between a tensor and others, in their order. Raises ValueError as `between` does."""
        wanted = {id(end) for end in ends} - {id(start)}
        needed: list[Step] = []
        for step in reversed(self.steps):
            if any(id(output) in wanted for output in step.outputs):
                needed.insert(0, step)
                wanted -= {id(output) for output in step.outputs}
                wanted |= {id(tensor) for tensor in step.inputs} - {id(start)}
        if wanted:
            raise ValueError("what comes out does not depend on the given tensor alone")
        return needed


def lay_flat(model: Any) -> FlatModel:
    """Call a functional or sequential model of one input and one output step by step."""
    steps: list[Step] = []
    image = keras.Input(model.inputs[0].shape[1:])
    (output,) = keras.tree.flatten(_call(steps, model, image))
    return FlatModel(image, tuple(steps), output)


def _call(steps: list[Step], layer: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a layer or operation and write it down; the parts of a model one by one."""
    if isinstance(layer, keras.Sequential):
        tensor = args[0]
        for inner in layer.layers:
            tensor = _call(steps, inner, tensor)
        return tensor
    if isinstance(layer, keras.Function):
        # The only way to see the calls of a Function in their order: Keras' own, as `clone_model` uses it, which
        # loses the outputs of a model that is called on another one's tensors.
        return layer._run_through_graph(args[0], operation_fn=lambda inner: partial(_call, steps, inner))
    if isinstance(layer, keras.layers.MultiHeadAttention):
        asked = kwargs.get("return_attention_scores", False)
        kwargs = {**kwargs, "return_attention_scores": True}  # the same numbers, and attention can be seen
        output, attention = layer(*args, **kwargs)
        steps.append(Step(layer, args, kwargs, (output, attention)))
        return (output, attention) if asked else output
    output = layer(*args, **kwargs)
    steps.append(Step(layer, args, kwargs, tuple(keras.tree.flatten(output))))
    return output
