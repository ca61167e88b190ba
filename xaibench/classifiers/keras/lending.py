"""A copy of the model for libraries that call it themselves."""

from typing import Any

import keras

from xaibench.api import NotApplicable
from xaibench.classifiers.keras.graph import Graph, two_logits


def lent_copy(graph: Graph) -> Any:
    """Flat model, logits out, with layers of its own: libraries ask a layer for its only output.

    Raises NotApplicable where parts of the model share layer names.
    """
    try:
        flat = keras.Model(graph.input, graph.steps[-1].output if graph.stripped else graph.logits)
    except ValueError as error:
        raise NotApplicable(
            "nested parts of the model share layer names, so it cannot be laid flat"
        ) from error

    def copied(layer: Any) -> Any:
        config = layer.get_config()
        return type(layer).from_config(
            {**config, "activation": "linear"} if layer is graph.stripped else config
        )

    copy = keras.models.clone_model(flat, clone_function=copied)
    copy.set_weights(flat.get_weights())
    return keras.Model(copy.input, two_logits(copy.output)) if graph.stripped else copy
