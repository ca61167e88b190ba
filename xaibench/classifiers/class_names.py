"""Names of a model's classes, from a file beside the model's."""

import json
from pathlib import Path
from typing import Any

from xaibench.api import XaibenchError

NAMES_FILE = "classes.json"


def names_beside(path: Path) -> tuple[str, ...]:
    """Names in `classes.json` beside a file; none if there is no such file. Raises XaibenchError for a wrong one."""
    file = path.parent / NAMES_FILE
    return _checked(_listed(file), str(file)) if file.is_file() else ()


def check_count(names: tuple[str, ...], n_classes: int, model: str) -> None:
    """Refuse another number of names than of classes."""
    if names and len(names) != n_classes:
        raise XaibenchError(
            f"{len(names)} class names ({', '.join(names)}) for the {n_classes} classes of {model}; name each output, "
            f"in the model's order."
        )


def _listed(file: Path) -> list[Any]:
    """Names in their order, from a JSON list or a mapping of indices to names."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise XaibenchError(f"{file} cannot be read as JSON: {error}.") from error
    if isinstance(content, dict) and set(content) == {str(index) for index in range(len(content))}:
        return [content[str(index)] for index in range(len(content))]
    if isinstance(content, list):
        return content
    raise XaibenchError(f'{file} must hold a list of class names, or a mapping such as {{"0": "benign"}}.')


def _checked(names: list[Any], where: str) -> tuple[str, ...]:
    stripped = tuple(name.strip() if isinstance(name, str) else "" for name in names)
    if not all(stripped) or len(set(stripped)) != len(stripped):
        raise XaibenchError(f"Class names of {where} must be different, non-empty texts.")
    return stripped
