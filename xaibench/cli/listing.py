"""`xaibench list ...`: what is registered."""

import re
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from xaibench.cli.terminal import out_console, say, table
from xaibench.harness import registry
from xaibench.harness.configured import Source
from xaibench.harness.declared import Kind
from xaibench.harness.registry import Plugin

list_app = typer.Typer(no_args_is_help=True, help="List what is registered.")
Markdown = Annotated[
    bool, typer.Option("--markdown", help="Write GitHub Markdown, packages without their versions.")
]


@list_app.command("methods", epilog="Example: `xaibench list methods --markdown`")
def list_methods(markdown: Markdown = False) -> None:
    """Registered explainers: name, family, needs, whether they draw, source, package."""
    header = ["name", "family", "needs", "deterministic", "source", "package"]
    _print_list("methods", header, _method_row, markdown)


@list_app.command("metrics", epilog="Example: `xaibench list metrics --markdown`")
def list_metrics(markdown: Markdown = False) -> None:
    """Registered metrics: name, family, better, unit, place in the ranks, chance, needs, source, package."""
    header = ["name", "family", "better", "unit", "ranked as", "chance", "needs", "source", "package"]
    _print_list("metrics", header, _metric_row, markdown)


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
    draws = "yes" if facts.deterministic else "no"
    return [plugin.name, facts.family, _needs(plugin), draws, facts.source, plugin.package]


def _metric_row(plugin: Plugin) -> list[str]:
    facts = plugin.facts
    better = "higher" if facts.higher_is_better else "lower"
    return [
        *(plugin.name, str(facts.family), better, facts.unit, facts.ranked, facts.chance),
        *(_needs(plugin), facts.source, plugin.package),
    ]


def _needs(plugin: Plugin) -> str:
    return ", ".join(sorted(need.value for need in plugin.facts.needs)) or "nothing"


def _source_row(plugin: Plugin) -> list[str]:
    options = ", ".join(f"--{name.replace('_', '-')}" for name in Source(plugin, None, "").options)
    return [plugin.name, plugin.facts.summary, options, plugin.package]


def _print_list(
    kind: Kind, header: Sequence[str], row: Callable[[Plugin], list[str]], markdown: bool = False
) -> None:
    plugins, problems = registry.load_all(kind)
    rows = [row(plugin) for plugin in plugins]
    if markdown:
        typer.echo(_as_markdown(header, rows))
    else:
        out_console.print(table(list(header), rows))
    for problem in problems:
        say(problem)


def _as_markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table whose last column is the package: its version would make a page in docs/ stale."""
    import pandas as pd  # slow to import

    unversioned = [[*row[:-1], re.sub(r" \d\S*$", "", row[-1])] for row in rows]
    escaped = [[cell.replace("|", "\\|") for cell in row] for row in unversioned]
    # Texts such as "0" are no numbers to align.
    return str(pd.DataFrame(escaped, columns=list(header)).to_markdown(index=False, disable_numparse=True))
