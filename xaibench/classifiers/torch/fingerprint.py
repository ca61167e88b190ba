"""What a program is, whatever it and its layers are called."""

import hashlib
from typing import Any

import torch
from torch.fx.node import map_arg

from xaibench.classifiers.outputs import Reading
from xaibench.classifiers.source import source_hash
from xaibench.classifiers.torch.program import Program, Weights


def fingerprint(program: Program, weights: Weights, reading: Reading) -> str:
    """Hash of operations, their connections, their weights, how the outputs are read, and our code."""
    digest = hashlib.sha256(f"{source_hash()} {program.input_shape} {reading}".encode())
    numbers = {
        node: f"#{number}" for number, node in enumerate([program.image, *program.weights, *program.nodes])
    }

    def shown(part: Any) -> str:
        return str(map_arg(part, lambda node: numbers[node]))

    for node in program.nodes:
        digest.update(f"{node.target} {shown(node.args)} {shown(node.kwargs)}".encode())
    for name in program.weights.values():
        digest.update(_bytes_of(weights[name]))
    return digest.hexdigest()


def _bytes_of(weight: torch.Tensor) -> bytes:
    exact = weight.float() if weight.is_floating_point() else weight
    content: bytes = exact.contiguous().numpy().tobytes()
    return f"{weight.dtype} {tuple(weight.shape)}".encode() + content
