"""Which source decides what a plugin computes: its own module, and what that imports from its own package."""

import ast
import hashlib
import importlib.util
from collections.abc import Iterator
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

SHARED = ("xaibench.api", "xaibench.harness")
"""Parts of xaibench that many plugins import; the contract's version stands in every key instead."""


def code_hash(module: str) -> str:
    """Hash of the source of a module and of the modules of its own package that it imports, however deep.

    A module without source, such as a compiled one, counts by its name alone.
    """
    digest = hashlib.sha256()
    for name in sorted(closure(module)):
        digest.update(name.encode() + _source(name))
    return digest.hexdigest()[:16]


def forget() -> None:
    """Read sources afresh, after a file has changed in this process."""
    _source.cache_clear()


def closure(module: str) -> set[str]:
    """Names of a module and of the modules of its own package that it imports, however deep."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [other for other in _imports(name) if _belongs(other, module)]
    return found


def _belongs(name: str, module: str) -> bool:
    same_package = name.partition(".")[0] == module.partition(".")[0]
    return same_package and not name.startswith(SHARED) and bool(_source(name))


def _imports(module: str) -> Iterator[str]:
    """Names of modules that a module may import; `from a import b` names both a and a.b."""
    for node in ast.walk(_parsed(_source(module))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            base = _absolute(node, module)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _parsed(source: bytes) -> ast.AST:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError):  # for another version of Python; nothing can import it here
        return ast.Module([], [])


def _absolute(node: ast.ImportFrom, module: str) -> str:
    if not node.level:
        return node.module or ""
    try:
        return importlib.util.resolve_name("." * node.level + (node.module or ""), _package(module))
    except ImportError:
        return ""  # above the top of the package: the import would fail too


def _package(module: str) -> str:
    spec = _spec(module)
    return module if spec is not None and spec.submodule_search_locations else module.rpartition(".")[0]


@cache
def _source(module: str) -> bytes:
    """Source of a module; empty where there is no such module or no source."""
    spec = _spec(module)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return b""
    return Path(spec.origin).read_bytes()


def _spec(module: str) -> ModuleSpec | None:
    """Where a module lies, found without importing anything; `a.b` of `from a import b` is often no module."""
    parent = module.rpartition(".")[0]
    try:
        if not parent:
            return importlib.util.find_spec(module)
        package = _spec(parent)
        places = package.submodule_search_locations if package else None
        return PathFinder.find_spec(module, list(places)) if places else None
    except ValueError:
        return None
