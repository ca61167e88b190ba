"""Fresh weights for the layers of a program, from the output down."""

from collections.abc import Mapping
from typing import Any

import torch

from xaibench.api import seed_of
from xaibench.classifiers.torch.layers import modules_of
from xaibench.classifiers.torch.program import Program, Weights

OF_TORCH = "torch.nn.modules."
COUNTER = "num_batches_tracked"


def layers_with_weights(program: Program, weights: Weights) -> dict[str, list[str]]:
    """Names of the learnt weights of each layer, by the layer's name, from the output down."""
    found: dict[str, list[str]] = {}
    for node in reversed(program.nodes):
        for used in node.all_input_nodes:
            name = program.weights.get(used, "")
            if name and weights[name].is_floating_point():
                found.setdefault(_layer_of(name), [])
    for name in program.weights.values():
        if _layer_of(name) in found:
            found[_layer_of(name)].append(name)
    return found


def _layer_of(weight: str) -> str:
    return weight.rpartition(".")[0] or weight


def kinds(program: Program) -> dict[str, str]:
    """Class of each module, by its path."""
    return {path: each for node in program.nodes for path, each in modules_of(node)}


def fresh_weights(
    layer: str, kind: str, weights: Mapping[str, torch.Tensor], seed: int
) -> dict[str, torch.Tensor]:
    """Weights of a layer as the `reset_parameters` of its class draws them, from (seed, name) alone.

    Weights of a class that is not torch's own, such as a class token, are shuffled: what they have learnt is lost, and
    their distribution stays.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(seed, layer))
        made = _reset(kind, {name.rpartition(".")[2]: weight for name, weight in weights.items()})
    return {name: made[name.rpartition(".")[2]] for name in weights}


def _reset(kind: str, weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    cls = getattr(torch.nn, kind.rpartition(".")[2], None) if kind.startswith(OF_TORCH) else None
    if not hasattr(cls, "reset_parameters"):
        return {name: _shuffled(weight) for name, weight in weights.items()}
    module = _bare(cls, weights)
    module.reset_parameters()
    return {
        name: tensor.detach()
        for name, tensor in {**dict(module.named_parameters()), **dict(module.named_buffers())}.items()
    }


def _bare(cls: Any, weights: Mapping[str, torch.Tensor]) -> Any:
    """A module with tensors of the given shapes, and what `reset_parameters` asks for beside them."""
    module = cls.__new__(cls)
    torch.nn.Module.__init__(module)
    for name, weight in weights.items():
        is_statistic = name.startswith("running_") or name == COUNTER
        add = module.register_buffer if is_statistic else module.register_parameter
        add(name, weight.clone() if is_statistic else torch.nn.Parameter(weight.clone(), requires_grad=False))
    if "bias" not in weights:
        module.register_parameter("bias", None)
    module.affine = module.elementwise_affine = "weight" in weights
    module.track_running_stats = "running_mean" in weights
    return module


def _shuffled(weight: torch.Tensor) -> torch.Tensor:
    return weight.flatten()[torch.randperm(weight.numel())].reshape(weight.shape)
