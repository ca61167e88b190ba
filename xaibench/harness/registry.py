"""Plugins, found by their entry points and checked once, when they are loaded."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import BaseModel

from xaibench.api import XaibenchError, unknown
from xaibench.harness import source
from xaibench.harness.declared import KINDS, Kind, Undeclared, check_name, declared
from xaibench.harness.limits import reason_of


@dataclass(frozen=True)
class Plugin:
    """A registered class, what it declares, and the package that brought it."""

    kind: Kind
    name: str
    cls: Any
    facts: Any
    """ExplainerFacts, MetricFacts, DatasetFacts or ModelFacts, by kind."""
    package: str
    """Name and version."""
    code: str
    """Hash of its source."""


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


@cache
def load(kind: Kind, name: str) -> Plugin:
    """Load one plugin. Raises XaibenchError for an unknown name and BrokenPluginError for a broken one."""
    known = entries(kind)
    if name not in known:
        raise XaibenchError(unknown(kind[:-1], name, list(known)))
    entry = known[name]
    who = f"{kind[:-1].capitalize()} {name!r} of {_package(entry)}"
    try:
        check_name(name)
        cls = _imported(entry)
        facts: BaseModel = declared(kind, cls)
    except Undeclared as error:
        raise BrokenPluginError(f"{who} {error}.") from error
    return Plugin(kind, name, cls, facts, _package(entry), source.code_hash(entry.module))


def _imported(entry: EntryPoint) -> Any:
    try:
        return entry.load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # an import may even call sys.exit; it must not stop the others
        why = f"cannot be loaded from {entry.value}: {reason_of(error)}; mend or uninstall it"
        raise Undeclared(why) from error


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


def check_spelling(kind: Kind, expression: str) -> None:
    """Tell a misspelt name in an expression; no plugin is imported for that."""
    for term in (term.strip() for term in expression.split(",")):
        if term not in ("", "all", *entries(kind)) and not term.startswith("family:"):
            raise XaibenchError(unknown(kind[:-1], term, list(entries(kind))))


def select(kind: Kind, expression: str) -> tuple[list[Plugin], list[str]]:
    """Plugins of an expression (`all`, `a,b`, `family:cam`, mixed by commas), and sentences on broken ones.

    A broken plugin is an error where it is named, a sentence where it would have been among all, else nothing.
    """
    terms = [term.strip() for term in expression.split(",") if term.strip()]
    if not terms:
        raise XaibenchError(f"No {kind} are named; write all, names separated by commas, or family:NAME.")
    only_names = not any(term == "all" or term.startswith("family:") for term in terms)
    plugins, problems = ([], []) if only_names else load_all(kind)
    chosen = {plugin.name: plugin for term in terms for plugin in _of_term(kind, term, plugins)}
    return [chosen[name] for name in sorted(chosen)], problems


def _of_term(kind: Kind, term: str, plugins: Sequence[Plugin]) -> list[Plugin]:
    if term == "all":
        return list(plugins)
    if not term.startswith("family:"):
        return [load(kind, term)]
    family = term.removeprefix("family:")
    found = [plugin for plugin in plugins if plugin.facts.family == family]
    if not found:
        raise XaibenchError(unknown("family", family, sorted({str(p.facts.family) for p in plugins})))
    return found


def find(name: str, kinds: Sequence[Kind] = KINDS) -> Plugin:
    """Load the plugin of a name, whatever its kind. Raises XaibenchError for an unknown one."""
    for kind in kinds:
        if name in entries(kind):
            return load(kind, name)
    raise XaibenchError(unknown("plugin", name, [known for kind in kinds for known in entries(kind)]))


def forget() -> None:
    """Look for plugins and their sources afresh, after a package was installed or changed in this process."""
    entries.cache_clear()
    load.cache_clear()
    source.forget()


def _package(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unnamed package"
