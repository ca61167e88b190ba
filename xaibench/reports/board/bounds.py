"""What a stranger's file may hold at most; everything else is refused before it is looked at."""

import json
import math
from pathlib import Path
from typing import Any

from xaibench.api import XaibenchError

MOST_BYTES = 64 * 2**20
MOST_TEXT = 2000
MOST_PARTS = 20_000
"""Members of one list or mapping."""
MOST_DEPTH = 12
MOST_ROWS = 1_000_000


def read_bytes(path: Path) -> bytes:
    """Content of a regular file of bounded size. Raises XaibenchError for another."""
    if path.is_symlink() or not path.is_file():
        raise XaibenchError(f"{path} is no regular file.")
    if path.stat().st_size > MOST_BYTES:
        raise XaibenchError(f"{path} is larger than {MOST_BYTES // 2**20} MiB; a board takes no such file.")
    return path.read_bytes()


def parsed(text: bytes, where: str) -> Any:
    """JSON value of bounded depth, lists and texts, its numbers finite. Raises XaibenchError for another."""
    try:
        value = json.loads(text, parse_constant=_refuse)
        _check(value, 0)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
        raise XaibenchError(f"{where} is no JSON that a board takes ({error}).") from error
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _check(value: Any, depth: int) -> None:
    if depth > MOST_DEPTH:
        raise ValueError(f"nested deeper than {MOST_DEPTH}")
    if isinstance(value, str) and len(value) > MOST_TEXT:
        raise ValueError(f"a text longer than {MOST_TEXT} characters")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number that is not finite")
    if isinstance(value, dict | list):
        _check_parts(value, depth)


def _check_parts(value: dict[str, Any] | list[Any], depth: int) -> None:
    if len(value) > MOST_PARTS:
        raise ValueError(f"a list of more than {MOST_PARTS} parts")
    for part in [*value, *value.values()] if isinstance(value, dict) else value:
        _check(part, depth + 1)
