"""ONNX models made by hand: weighted sums of the pixels, and what comes after them."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE = (6, 5)


def kernel(pixels: int, units: int = 3) -> np.ndarray:
    return np.random.default_rng(units).normal(0, 0.4, (pixels, units)).astype(np.float32)


def save_model(
    path: Path,
    end: str | None = "Softmax",
    *,
    units: int = 3,
    shape: tuple[Any, ...] = ("batch", 1, *SIZE),
    both: bool = False,
    dtype: int = TensorProto.FLOAT,
) -> np.ndarray:
    """Save a model of a flatten, a product with a kernel, and an activation; the kernel is returned."""
    sizes = [size for size in shape[1:] if isinstance(size, int)]
    matrix = kernel(int(np.prod(sizes)), units)
    nodes = [
        helper.make_node("Flatten", ["images"], ["flat"]),
        helper.make_node("MatMul", ["flat", "kernel"], ["sums"]),
    ]
    outputs = ["sums"] if end is None else ["scores"]
    if end is not None:
        nodes.append(helper.make_node(end, ["sums"], ["scores"]))
    rows = [
        helper.make_tensor_value_info(name, dtype, [shape[0], units]) for name in [*outputs, *["sums"] * both]
    ]
    images = helper.make_tensor_value_info("images", dtype, list(shape))
    weights = numpy_helper.from_array(matrix.astype(helper.tensor_dtype_to_np_dtype(dtype)), "kernel")
    graph = helper.make_graph(nodes, "sums of pixels", [images], rows, [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return matrix
