"""Takes out of free text what must not be published: paths, the user's login, the name of the machine."""

import contextlib
import getpass
import re
import socket
from collections.abc import Mapping
from typing import Any

PATH = re.compile(
    r"""(?<![\w.)])(?:[A-Za-z]:\\|~?/|\.{1,2}[/\\]|\\\\)[^\s'",;:()<>]+"""
    r"""|[^\s'",;:()<>]+[/\\][^\s'",;:()<>]*[/\\][^\s'",;:()<>]*"""
)
"""An absolute path, one that begins with a dot, or one with two separators."""
MOST = 300
"""Characters of a text."""


def publishable(text: str) -> str:
    """Text without paths, login or host, on one line."""
    clean = PATH.sub("(a path)", " ".join(text.split()))
    for name in _own_names():
        clean = re.sub(rf"\b{re.escape(name)}\b", "(a name)", clean)
    return clean[:MOST]


def published(value: Any) -> Any:
    """Make all texts of a nested value publishable; its keys are names already."""
    if isinstance(value, str):
        return publishable(value)
    if isinstance(value, Mapping):
        return {key: published(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [published(part) for part in value]
    return value


def _own_names() -> list[str]:
    """Login and host; short ones would be found in ordinary words."""
    names = [socket.gethostname()]
    with contextlib.suppress(OSError, KeyError, ImportError):  # no login in some containers
        names.append(getpass.getuser())
    return [name for name in names if len(name) > 3]
