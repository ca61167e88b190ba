"""Which Keras models can be read at all, told in one sentence."""

from typing import Any

import keras
import numpy as np

from xaibench.api import XaibenchError


def input_shape_of(model: Any) -> tuple[int, ...]:
    """Shape of one image, `(h, w, c)` or `(d, h, w, c)`. Raises XaibenchError for what is no model of images."""
    if not isinstance(model, keras.Function | keras.Sequential):
        raise XaibenchError(
            f"{type(model).__name__} is a subclassed Keras model, whose layers cannot be seen; build it with "
            f"the functional API or as keras.Sequential."
        )
    shapes = [tuple(tensor.shape) for tensor in getattr(model, "inputs", None) or ()]
    if len(shapes) != 1:
        raise XaibenchError(
            f"The model takes {len(shapes)} inputs {shapes}; a classifier of images takes one."
        )
    if len(shapes[0]) not in (4, 5) or None in shapes[0][1:]:
        raise XaibenchError(
            f"The model's input is {shapes[0]}; a classifier of images [h w c] of one size is needed: build it on "
            f"keras.Input((height, width, channels))."
        )
    return shapes[0][1:]


def check(model: Any) -> None:
    """Refuse several outputs, channels that come first, and weights that are no numbers. Raises XaibenchError."""
    outputs = {tensor.name: tuple(tensor.shape) for tensor in model.outputs}
    if len(outputs) != 1:
        raise XaibenchError(
            f"The model has {len(outputs)} outputs {list(outputs.values())}; save one that ends in the class "
            f"scores: keras.Model(model.input, model.outputs[i])."
        )
    for layer in every_layer(model):
        if getattr(layer, "data_format", None) == "channels_first":
            raise XaibenchError(
                f"Layer {layer.name!r} takes the channels first; build the model with channels last."
            )
    for weight in model.weights:
        if not np.isfinite(keras.ops.convert_to_numpy(weight)).all():
            raise XaibenchError(
                f"Weight {weight.path!r} holds NaN or infinite values; the model cannot answer."
            )


def every_layer(model: Any) -> list[Any]:
    """Layers of a model and of the models in it."""
    found = []
    for layer in model.layers:
        found += every_layer(layer) if isinstance(layer, keras.Model) and layer.layers else [layer]
    return found
