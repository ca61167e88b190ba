"""Models of several outputs: one of them is explained."""

from typing import Any

import keras

from xaibench.api import XaibenchError, unknown


def with_one_output(model: Any, wanted: str | None) -> Any:
    """Return the model that ends in one output, by the name of the layer that makes it or by its number from 0.

    Raises XaibenchError for an output that is not there, and where there are several and none is named.
    """
    names = list(getattr(model, "output_names", ()))
    if wanted is None and len(names) < 2:
        return model
    if wanted is None:
        raise XaibenchError(
            f"The model has {len(names)} outputs: {', '.join(names)}; choose one with --output NAME."
        )
    numbers = [str(number) for number in range(len(names))]
    if wanted in numbers:
        return keras.Model(model.inputs, model.outputs[int(wanted)])
    if names.count(wanted) != 1:
        raise XaibenchError(f"{unknown('output', wanted, names)} Its number from 0 will do too.")
    return keras.Model(model.inputs, model.outputs[names.index(wanted)])
