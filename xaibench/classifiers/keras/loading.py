"""Reads Keras model files, without executing code that they carry."""

import zipfile
from pathlib import Path
from typing import Any

import keras

from xaibench.api import XaibenchError

HDF5 = b"\x89HDF\r\n\x1a\n"
LARGEST = 8 * 2**30
"""Bytes that a model may unpack to; the largest of Keras' own published classifiers takes 1.4 GB."""


def load_keras(path: Path) -> Any:
    """Load a `.keras` or `.h5` file in Keras' safe mode.

    Raises XaibenchError for one that is missing, broken, too large or carries code.
    """
    if not path.is_file():
        raise XaibenchError(f"There is no model file {path}; give the path of a .keras or .h5 file.")
    if _unpacked_size(path) > LARGEST:
        raise XaibenchError(f"{path.name} unpacks to more than {LARGEST // 2**30} GB; it is refused.")
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many types here, and a broken file must still be one sentence
        raise XaibenchError(_why_refused(path, error)) from error


def _unpacked_size(path: Path) -> int:
    """Bytes of a file's content. Raises XaibenchError for what is neither a zip archive nor HDF5."""
    if path.suffix == ".keras" and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    if path.suffix != ".keras" and _begins_with(path, HDF5):
        return path.stat().st_size
    raise XaibenchError(
        f"{path.name} is no .keras archive and no .h5 file; save the model with model.save('name.keras')."
    )


def _begins_with(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


def _why_refused(path: Path, error: Exception) -> str:
    text = str(error)
    if "unsafe" in text or "safe_mode" in text or "lambda" in text.lower():
        return (
            f"{path.name} carries code (a Lambda layer or an unsafe object), which loading would execute; "
            f"it is refused. Rebuild the model from standard layers."
        )
    first = text.strip().splitlines()[0] if text.strip() else type(error).__name__
    return f"{path.name} cannot be loaded: {first[:200]} Save it again with this version of Keras."
