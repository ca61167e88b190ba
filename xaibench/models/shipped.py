"""Weights that come with xaibench, so that the same command gives the same figures on every machine.

`weights/NAME.npz` holds the arrays in the order of the Keras model's weights, `weights/NAME.json` says how they were
made. `python -m xaibench.models.ship NAME` makes them again.
"""

import hashlib
import io
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from xaibench.api import XaibenchError, write_file


class Provenance(BaseModel):
    """How shipped weights were made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    command: str
    """Makes them again."""
    data_key: str
    """What decided the training patients."""
    generator_pixels: str
    """SHA-256 of the pixels of one phantom patient, to tell whether today's generator still draws them."""
    patients: int
    starts_from: str = ""
    """Shipped weights that part of the network started from, with training patients of their own; empty = none."""
    slices: int
    seed: int
    schedule: dict[str, float]
    versions: dict[str, str]
    """Of the libraries that trained them."""
    quality: dict[str, str]
    """What was measured of them, on patients who were in no training and are in no default cohort."""
    sha256: str
    """Of the file of weights."""


def load_shipped(name: str, model: Any) -> Provenance:
    """Put shipped weights into a model of their architecture, and return how they were made.

    Raises XaibenchError if the file is missing or damaged.
    """
    provenance = shipped_provenance(name)
    content = _read(f"{name}.npz")
    found = hashlib.sha256(content).hexdigest()
    if found != provenance.sha256:
        raise XaibenchError(
            f"The weights {name}.npz that come with xaibench are damaged: their SHA-256 is {found[:12]}... where "
            f"{provenance.sha256[:12]}... is right; install xaibench again."
        )
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        model.set_weights([arrays[key] for key in sorted(arrays.files)])
    return provenance


def shipped_provenance(name: str) -> Provenance:
    """How shipped weights were made."""
    return Provenance.model_validate_json(_read(f"{name}.json"))


def save_shipped(name: str, model: Any, folder: Path, **facts: Any) -> Provenance:
    """Write weights and how they were made into a folder; `facts` are the fields of Provenance but the hash."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{f"{i:03d}": array for i, array in enumerate(model.get_weights())})
    content = buffer.getvalue()
    provenance = Provenance(sha256=hashlib.sha256(content).hexdigest(), **facts)
    write_file(folder / f"{name}.npz", lambda out: out.write(content))
    text = provenance.model_dump_json(indent=2) + "\n"
    write_file(folder / f"{name}.json", lambda out: out.write(text.encode()))
    return provenance


def _read(name: str) -> bytes:
    try:
        return (files("xaibench.models") / "weights" / name).read_bytes()
    except OSError as error:
        raise XaibenchError(
            f"The file {name} that comes with xaibench is missing; install xaibench again."
        ) from error
