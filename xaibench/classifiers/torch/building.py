"""Networks that a function builds, with weights from a safetensors file, as exported programs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch.export import Dim, ExportedProgram, export

from xaibench.api import XaibenchError


def built(function: Callable[[], Any], name: str, path: Path) -> torch.nn.Module:
    """Network of a function, with the weights of a file, in evaluation mode.

    Raises XaibenchError where the function builds none, or the weights are not its.
    """
    try:
        model = function()
    except Exception as error:  # a user's function may raise anything
        raise XaibenchError(f"{name} cannot build the network: {error}.") from error
    if not isinstance(model, torch.nn.Module):
        raise XaibenchError(f"{name} returned a {type(model).__name__}; it must return a torch.nn.Module.")
    if not path.is_file():
        raise XaibenchError(f"There is no file of weights {path}.")
    try:
        model.load_state_dict(load_file(path))
    except Exception as error:  # safetensors and torch raise several types
        first = " ".join(str(error).split())[:300]
        raise XaibenchError(f"{path.name} does not hold the weights of {name}: {first}") from error
    return model.eval().requires_grad_(False)


def exported(model: torch.nn.Module, input_shape: tuple[int, ...]) -> ExportedProgram:
    """Operations of a network for images of a shape `(*space, c)`, any number of them.

    Raises XaibenchError where it cannot be exported, such as one whose path depends on the values of the image.
    """
    *space, channels = input_shape
    try:
        return export(model, (torch.zeros(2, channels, *space),), dynamic_shapes=({0: Dim.DYNAMIC},))
    except Exception as error:  # torch raises many types here
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise XaibenchError(
            f"{type(model).__name__} cannot be exported for images {input_shape} (torch.export: {first[:200]}); see "
            f"that --input-shape is right and that nothing in its forward depends on the values of the images."
        ) from error
