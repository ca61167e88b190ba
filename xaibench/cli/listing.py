"""`xaibench list ...`: what is registered."""

from collections.abc import Callable, Sequence

import typer

from xaibench.cli.terminal import out_console, say, table
from xaibench.harness import registry
from xaibench.harness.configured import Source
from xaibench.harness.declared import Kind
from xaibench.harness.registry import Plugin

list_app = typer.Typer(no_args_is_help=True, help="List what is registered.")


@list_app.command("methods", epilog="Example: `xaibench list methods`")
def list_methods() -> None:
    """Registered explainers: name, family, needs, whether they draw, source, package."""
    header = ["name", "family", "needs", "deterministic", "source", "package"]
    _print_list("methods", header, _method_row)


@list_app.command("metrics", epilog="Example: `xaibench list metrics`")
def list_metrics() -> None:
    """Registered metrics: name, family, better, unit, what they stand for in the ranks, chance, source, package."""
    header = ["name", "family", "better", "unit", "ranked as", "chance", "source", "package"]
    _print_list("metrics", header, _metric_row)


@list_app.command("datasets", epilog="Example: `xaibench list datasets`")
def list_datasets() -> None:
    """Registered datasets: name, what it is, its options, package."""
    _print_list("datasets", ["name", "summary", "options", "package"], _source_row)


@list_app.command("models", epilog="Example: `xaibench list models`")
def list_models() -> None:
    """Models that --model takes by name."""
    _print_list("models", ["name", "summary", "options", "package"], _source_row)


@list_app.command("classifiers", epilog="Example: `xaibench list classifiers`")
def list_classifiers() -> None:
    """Kinds of files that --model takes by path."""
    _print_list("classifiers", ["name", "summary", "options", "package"], _source_row)


def _method_row(plugin: Plugin) -> list[str]:
    facts = plugin.facts
    needs = ", ".join(sorted(need.value for need in facts.needs)) or "nothing"
    draws = "yes" if facts.deterministic else "no"
    return [plugin.name, facts.family, needs, draws, facts.source, plugin.package]


def _metric_row(plugin: Plugin) -> list[str]:
    facts = plugin.facts
    better = "higher" if facts.higher_is_better else "lower"
    return [
        *(plugin.name, str(facts.family), better, facts.unit, facts.ranked, facts.chance),
        *(facts.source, plugin.package),
    ]


def _source_row(plugin: Plugin) -> list[str]:
    options = ", ".join(f"--{name.replace('_', '-')}" for name in Source(plugin, None, "").options)
    return [plugin.name, plugin.facts.summary, options, plugin.package]


def _print_list(kind: Kind, header: Sequence[str], row: Callable[[Plugin], list[str]]) -> None:
    plugins, problems = registry.load_all(kind)
    out_console.print(table(list(header), [row(plugin) for plugin in plugins]))
    for problem in problems:
        say(problem)
