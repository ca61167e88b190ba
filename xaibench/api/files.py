"""Files that appear whole or not at all."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO


def write_file(path: Path, write: Callable[[IO[bytes]], object]) -> Path:
    """Let `write` fill a new file beside `path`, then move it into its place; returns the path.

    The file beside it has a name that nobody can foresee and did not exist, so no link is followed; it is gone
    if writing fails. Folders that are missing are made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=f".part{path.suffix}", dir=path.parent)
    beside = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            write(file)
        beside.chmod(0o666 & ~_umask())
        return beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _umask() -> int:
    """Permissions that the user withholds; asking sets them, so they are put back."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
