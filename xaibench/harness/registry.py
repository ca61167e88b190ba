"""Plugins: explainers, metrics and datasets, found by their entry points."""

import difflib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from xaibench.api import XaibenchError

Kind = Literal["methods", "metrics", "datasets"]
DECLARED = {
    "methods": ("family", "needs", "source"),
    "metrics": ("family", "higher_is_better", "range", "unit", "source"),
    "datasets": ("class_names", "summary", "volumes", "notes"),
}


@dataclass(frozen=True)
class Plugin:
    """A registered class, and the package that brought it."""

    name: str
    cls: Any
    package: str
    """Name and version."""


class BrokenPluginError(XaibenchError):
    """A registered plugin that cannot be loaded."""


@cache
def entries(kind: Kind) -> dict[str, EntryPoint]:
    """Entry points of a kind by name, sorted. Raises XaibenchError where two packages use one name."""
    found: dict[str, EntryPoint] = {}
    for entry in sorted(entry_points(group=f"xaibench.{kind}"), key=lambda e: e.name):
        other = found.setdefault(entry.name, entry)
        if _package(other) != _package(entry):
            raise XaibenchError(
                f"Two packages register {kind[:-1]} {entry.name!r}: {_package(other)} and {_package(entry)}; "
                f"uninstall one, or rename its entry point."
            )
    return found


def load(kind: Kind, name: str) -> Plugin:
    """Load one plugin. Raises XaibenchError for an unknown name and BrokenPluginError for a broken one."""
    known = entries(kind)
    if name not in known:
        raise XaibenchError(unknown(kind[:-1], name, list(known)))
    return _load(kind, name)


@cache
def _load(kind: Kind, name: str) -> Plugin:
    entry = entries(kind)[name]
    package = _package(entry)
    try:
        cls = entry.load()
    except Exception as error:  # whatever a plugin raises on import, it must not stop the others
        raise BrokenPluginError(
            f"{kind[:-1].capitalize()} {name!r} of {package} cannot be loaded from {entry.value}: "
            f"{type(error).__name__}: {error}; mend or uninstall it."
        ) from error
    missing = [attribute for attribute in DECLARED[kind] if not hasattr(cls, attribute)]
    if missing:
        raise BrokenPluginError(
            f"{kind[:-1].capitalize()} {name!r} of {package} does not declare {', '.join(missing)}; add them as "
            f"class variables (see CONTRIBUTING.md)."
        )
    return Plugin(name, cls, package)


def load_all(kind: Kind) -> tuple[list[Plugin], list[str]]:
    """All plugins that can be loaded, and a sentence for each that cannot."""
    plugins: list[Plugin] = []
    problems: list[str] = []
    for name in entries(kind):
        try:
            plugins.append(load(kind, name))
        except BrokenPluginError as error:
            problems.append(str(error))
    return plugins, problems


def select(kind: Kind, expression: str) -> tuple[list[Plugin], list[str]]:
    """Plugins of an expression (`all`, `a,b`, `family:cam`, mixed by commas), and sentences on broken ones.

    A broken plugin is an error where it is named, a sentence where it would have been among all, else nothing.
    """
    terms = [term.strip() for term in expression.split(",") if term.strip()]
    if not terms:
        raise XaibenchError(f"No {kind} are named; write all, names separated by commas, or family:NAME.")
    plugins, problems = load_all(kind)
    chosen = {plugin.name: plugin for term in terms for plugin in _of_term(kind, term, plugins)}
    only_names = not any(term == "all" or term.startswith("family:") for term in terms)
    return [chosen[name] for name in sorted(chosen)], [] if only_names else problems


def _of_term(kind: Kind, term: str, plugins: list[Plugin]) -> list[Plugin]:
    if term == "all":
        return plugins
    if not term.startswith("family:"):
        return [load(kind, term)]
    family = term.removeprefix("family:")
    found = [plugin for plugin in plugins if plugin.cls.family == family]
    if not found:
        raise XaibenchError(unknown("family", family, sorted({str(p.cls.family) for p in plugins})))
    return found


def unknown(noun: str, name: str, known: list[str]) -> str:
    """One sentence for an unknown name: the likely one meant, or all known ones."""
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}."
    return f"There is no {noun} {name!r}; {hint}"


def forget() -> None:
    """Look for plugins afresh, after a package was installed in this process."""
    entries.cache_clear()
    _load.cache_clear()


def _package(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unnamed package"
