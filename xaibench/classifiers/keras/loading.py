"""Reads Keras model files, without executing code that they carry."""

import zipfile
from pathlib import Path
from typing import Any

import keras

from xaibench.api import XaibenchError


def load_keras(path: Path) -> Any:
    """Load a `.keras` file in Keras' safe mode.

    Raises XaibenchError for one that is missing, broken or carries code.
    """
    if not path.is_file():
        raise XaibenchError(f"There is no model file {path}; give the path of a .keras file.")
    if path.suffix != ".keras" or not zipfile.is_zipfile(path):
        raise XaibenchError(
            f"{path.name} is no .keras archive; save the model with model.save('name.keras')."
        )
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many types here, and a broken file must still be one sentence
        raise XaibenchError(_why_refused(path, error)) from error


def _why_refused(path: Path, error: Exception) -> str:
    text = str(error)
    if "unsafe" in text or "safe_mode" in text or "lambda" in text.lower():
        return (
            f"{path.name} carries code (a Lambda layer or an unsafe object), which loading would execute; "
            f"it is refused. Rebuild the model from standard layers."
        )
    first = text.strip().splitlines()[0] if text.strip() else type(error).__name__
    return f"{path.name} cannot be loaded: {first[:200]} Save it again with this version of Keras."
