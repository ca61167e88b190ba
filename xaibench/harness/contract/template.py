"""A new package with one plugin that keeps the contract."""

import re
from functools import partial
from pathlib import Path
from typing import IO

from jinja2 import Environment, PackageLoader, StrictUndefined

from xaibench.api import XaibenchError, unknown, write_file
from xaibench.harness.declared import Undeclared, check_name

KINDS = ("method", "metric", "dataset")


def write_package(name: str, kind: str, out: Path) -> Path:
    """Write the package `xaibench-NAME` below `out`; returns its folder.

    Raises XaibenchError for a name that cannot be registered, an unknown kind, and a folder that exists.
    """
    if kind not in KINDS:
        raise XaibenchError(unknown("kind of plugin", kind, KINDS))
    try:
        check_name(name)
    except Undeclared as error:
        raise XaibenchError(f"{name!r} {error}.") from error
    words = re.findall(r"[A-Za-z0-9]+", name)
    module = "_".join(["xaibench", *words]).lower()
    folder = out / f"xaibench-{'-'.join(words).lower()}"
    if folder.exists():
        raise XaibenchError(f"{folder} exists; choose another --out, or another name.")
    facts = {
        "name": name,
        "kind": kind,
        "module": module,
        "cls": "".join(word.capitalize() for word in words),
    }
    if not facts["cls"][0].isalpha():
        facts["cls"] = f"{kind.capitalize()}{facts['cls']}"
    for template, path in (
        ("pyproject.toml.j2", "pyproject.toml"),
        (f"{kind}.py.j2", f"{module}.py"),
        ("test.py.j2", f"test_{module}.py"),
        ("README.md.j2", "README.md"),
    ):
        text = _templates().get_template(template).render(facts)
        write_file(folder / path, partial(_write, text))
    return folder


def _write(text: str, file: IO[bytes]) -> None:
    file.write(text.encode())


def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("xaibench.harness.contract"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
