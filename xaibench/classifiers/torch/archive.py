"""Reads `.pt2` archives of `torch.export.save`, without executing code that they carry.

torch's own reader unpickles some parts, evaluates sizes as Python expressions, and looks operations up anywhere in the
package torch. So an archive is searched before it is opened, by the same zip reader.
"""

import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind
from torch.export.pt2_archive import PT2ArchiveReader
from torch.export.pt2_archive._package import load_pt2

from xaibench.api import XaibenchError

PROGRAM = "models/model.json"
SAMPLE = "data/sample_inputs/model.pt"
ALLOWED = (
    PROGRAM,
    "data/weights/",
    "data/constants/",
    "data/sample_inputs/",
    "archive_",
    "byteorder",
    ".data/",
)
ALLOWED_EXTRA = ("version", "extra/")
OPERATIONS = re.compile(
    r"torch\.ops\.aten\.\w+\.\w+|_operator\.(getitem|add|sub|mul|floordiv|mod|eq|ne|le|lt|ge|gt)"
)
SYMBOL = re.compile(r"Symbol\('[a-z]\w*'(, \w+=(True|False))*\)")
ARITHMETIC = re.compile(r"\b([su]?\d+|Integer|Add|Mul|Max|Min|Mod|FloorDiv)\b|[\s(),+*/-]")
"""What sizes may be computed with: numbers, names of sizes and these functions, nothing else that could be called."""
WORDS = frozenset(
    (
        "same",
        "valid",
        "none",
        "tanh",
        "floor",
        "trunc",
        "constant",
        "reflect",
        "replicate",
        "circular",
        "",
        "cpu",
    )
)
"""Texts that operations of networks take; a path of a file is none of them."""


def load_archive(path: Path) -> ExportedProgram:
    """Load an exported program.

    Raises XaibenchError for a file that is missing, broken, or holds what could execute code.
    """
    if not path.is_file():
        raise XaibenchError(f"There is no model file {path}; give the path of a .pt2 file.")
    try:
        reader = PT2ArchiveReader(str(path))
        names = reader.get_file_names()
    except Exception as error:  # torch raises many types here, and a broken file must still be one sentence
        raise XaibenchError(
            f"{path.name} is no archive of an exported program; save the model with "
            f"torch.export.save(torch.export.export(model.eval(), (images,)), 'name.pt2')."
        ) from error
    unsafe = next(_unsafe(reader, names), "")
    if unsafe:
        raise XaibenchError(f"{path.name} is refused: {unsafe}, which could execute code while it is loaded.")
    try:
        return load_pt2(str(path)).exported_programs["model"]
    except Exception as error:  # as above
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise XaibenchError(
            f"{path.name} cannot be loaded: {first[:200]}; export it again with this version of torch."
        ) from error


def _unsafe(reader: PT2ArchiveReader, names: list[str]) -> Iterator[str]:
    """What an archive holds that could execute code."""
    for name in names:
        if not name.startswith(ALLOWED + ALLOWED_EXTRA):
            yield f"it holds {name!r}"
        elif name.endswith("_config.json"):
            yield from _pickles(name, json.loads(reader.read_bytes(name)))
    if PROGRAM in names:
        yield from _calls(json.loads(reader.read_bytes(PROGRAM)))
    if SAMPLE in names and not _is_plain(reader.read_bytes(SAMPLE)):
        yield "its sample input holds more than tensors"


def _pickles(name: str, content: Any) -> Iterator[str]:
    for weight, payload in content["config"].items():
        if payload.get("use_pickle", True) or not payload["path_name"].startswith(("weight_", "tensor_")):
            yield f"{weight!r} of {name} is pickled"


def _calls(program: Any) -> Iterator[str]:
    for key, value in _entries(program):
        if key == "target" and isinstance(value, str) and not OPERATIONS.fullmatch(value):
            yield f"it calls {value!r}, no operation of aten"
        if key == "expr_str" and ARITHMETIC.sub("", SYMBOL.sub("", value)):
            yield f"it computes a size as {value!r}"
        if key in ("as_string", "as_strings", "as_operator") and not _is_known(value):
            yield f"it passes the text {value!r}"


def _entries(content: Any) -> Iterator[tuple[str, Any]]:
    """Every key of nested JSON with its value."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield key, value
            yield from _entries(value)
    if isinstance(content, list):
        for value in content:
            yield from _entries(value)


def _is_known(text: Any) -> bool:
    return text in WORDS if isinstance(text, str) else False


def _is_plain(pickled: bytes) -> bool:
    try:
        torch.load(io.BytesIO(pickled), weights_only=True)
    except Exception:  # whatever it is, it is not read
        return False
    return True


def run_by_torch(exported: ExportedProgram) -> Callable[[torch.Tensor], torch.Tensor]:
    """The program as torch's own interpreter runs it, without its generated checks of sizes."""
    signature = exported.graph_signature
    held = {**exported.state_dict, **exported.constants}

    def run(images: torch.Tensor) -> torch.Tensor:
        inputs = [
            images if spec.kind is InputKind.USER_INPUT else held[str(spec.target)]
            for spec in signature.input_specs
        ]
        outputs = torch.fx.Interpreter(exported.graph_module).run(*inputs)
        found: torch.Tensor = outputs[0]
        return found

    return run
