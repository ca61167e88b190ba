"""Packages that only some models need."""

import importlib
from typing import Any

from xaibench.api import XaibenchError


def needed(module: str, extra: str, what: str) -> Any:
    """Import an optional package. Raises XaibenchError where it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise XaibenchError(
            f"{what} are read by {module}, which is not installed; install it with "
            f"`pip install 'xaibench[{extra}]'`."
        ) from error
