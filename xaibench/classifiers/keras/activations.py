"""What a step does to class scores: which activation it ends in, and whether it keeps or only mixes them."""

import math

import keras

from xaibench.classifiers.keras.flat import Step

LINEAR = "linear"
OF_OPERATIONS = {
    "Softmax": "softmax",
    "LogSoftmax": "log_softmax",
    "Sigmoid": "sigmoid",
    "LogSigmoid": "log_sigmoid",
    "Tanh": "tanh",
    "ReLU": "relu",
    "Relu": "relu",
    "Relu6": "relu6",
    "LeakyReLU": "leaky_relu",
    "LeakyRelu": "leaky_relu",
    "PReLU": "prelu",
    "ELU": "elu",
    "Elu": "elu",
    "Selu": "selu",
    "Gelu": "gelu",
    "Silu": "silu",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "HardSigmoid": "hard_sigmoid",
    "HardSwish": "hard_swish",
}
"""Activations by the name of the layer or operation that is nothing else."""
KEEPS_VALUES = frozenset(
    {
        "Identity", "Dropout", "SpatialDropout2D", "SpatialDropout3D", "Reshape", "Flatten", "Squeeze", "ExpandDims",
        "Cast", "ActivityRegularization", "GaussianNoise", "GaussianDropout", "AlphaDropout",
    }
)  # fmt: skip
"""Layers and operations that give the same values, in the same order, in another shape."""
MIXES_LINEARLY = KEEPS_VALUES | {
    "Add", "Subtract", "Average", "Mean", "Sum", "Stack", "Concatenate", "Rescaling", "GetItem", "Negative",
    "GlobalAveragePooling2D", "GlobalAveragePooling3D", "AveragePooling2D", "AveragePooling3D", "Permute", "Transpose",
}  # fmt: skip
"""Layers and operations without weights whose output is a weighted sum of what goes in."""
DIVISIONS = frozenset({"TrueDivide", "Divide"})


def kind(step: Step) -> str:
    """Name of the layer's or operation's class."""
    return type(step.layer).__name__


def activation(step: Step) -> str | None:
    """Name of the activation that a step ends in; None if it has none."""
    if kind(step) in OF_OPERATIONS:
        return OF_OPERATIONS[kind(step)]
    function = getattr(step.layer, "activation", None)
    return str(getattr(function, "__name__", type(function).__name__)) if function is not None else None


def is_activation_alone(step: Step) -> bool:
    """Tell whether a step is an activation and nothing else."""
    return kind(step) in OF_OPERATIONS or isinstance(step.layer, keras.layers.Activation)


def keeps_values(step: Step) -> bool:
    """Tell whether a step gives the same values in the same order."""
    return kind(step) in KEEPS_VALUES or (is_activation_alone(step) and activation(step) == LINEAR)


def mixes_linearly(step: Step) -> bool:
    """Tell whether a step without weights gives weighted sums of what goes in."""
    return kind(step) in MIXES_LINEARLY or _is_scaled_by_a_constant(step) or keeps_values(step)


def _is_scaled_by_a_constant(step: Step) -> bool:
    first_is_tensor = bool(step.args) and step.args[0] is step.input
    return len(step.inputs) == 1 and (
        kind(step) == "Multiply" or (kind(step) in DIVISIONS and first_is_tensor)
    )


def is_over_classes(step: Step) -> bool:
    """Tell whether a softmax runs over the one axis that holds the classes."""
    axis = getattr(step.layer, "axis", -1)
    sizes = step.output.shape[1:]
    if not isinstance(axis, int) or None in sizes:
        return False
    return bool(sizes[axis - 1 if axis > 0 else axis] == math.prod(sizes))
