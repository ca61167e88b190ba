"""`xaibench list ...` and `xaibench plugin check`: what is registered, and whether it keeps its promises."""

from typing import Annotated

import typer
from rich.markup import escape

from xaibench.api import XaibenchError
from xaibench.cli.terminal import out_console, say, table, without_import_chatter
from xaibench.harness import registry
from xaibench.harness.registry import Kind

list_app = typer.Typer(no_args_is_help=True, help="List what is registered.")
plugin_app = typer.Typer(no_args_is_help=True, help="Check plugins.")


@list_app.command("methods", epilog="Example: `xaibench list methods`")
def list_methods() -> None:
    """Registered explainers: name, family, needs, source, package."""
    plugins, problems = registry.load_all("methods")
    rows = [
        [
            p.name,
            p.cls.family,
            ", ".join(sorted(n.value for n in p.cls.needs)) or "nothing",
            p.cls.source,
            p.package,
        ]
        for p in plugins
    ]
    _print_list(["name", "family", "needs", "source", "package"], rows, problems)


@list_app.command("metrics", epilog="Example: `xaibench list metrics`")
def list_metrics() -> None:
    """Registered metrics: name, family, better, unit, source, package."""
    plugins, problems = registry.load_all("metrics")
    rows = [
        [
            p.name,
            p.cls.family,
            "higher" if p.cls.higher_is_better else "lower",
            p.cls.unit,
            p.cls.source,
            p.package,
        ]
        for p in plugins
    ]
    _print_list(["name", "family", "better", "unit", "source", "package"], rows, problems)


@list_app.command("datasets", epilog="Example: `xaibench list datasets`")
def list_datasets() -> None:
    """Registered datasets: name, what it is, package."""
    plugins, problems = registry.load_all("datasets")
    _print_list(
        ["name", "summary", "package"], [[p.name, p.cls.summary, p.package] for p in plugins], problems
    )


@list_app.command("models", epilog="Example: `xaibench list models`")
def list_models() -> None:
    """Models that --model takes."""
    from xaibench.models.library import SUMMARIES

    _print_list(["name", "summary"], [[name, summary] for name, summary in SUMMARIES.items()], [])


@plugin_app.command("check", epilog="Example: `xaibench plugin check grad-cam`")
def plugin_check(name: Annotated[str, typer.Argument(help="registered name of a method or metric")]) -> None:
    """Run the contract tests on one method or metric, on a tiny model (exit code 1 if a promise is broken)."""
    plugin = registry.load(_kind_of(name), name)
    with without_import_chatter():
        from xaibench.classifiers.keras import KerasClassifier
        from xaibench.harness.contract.checks import check
        from xaibench.harness.contract.trial import put_on_trial
        from xaibench.models.tiny import tiny_classifier

    findings = list(check(put_on_trial(plugin, KerasClassifier(tiny_classifier()))))
    for finding in findings:
        mark = (
            "[red]broken[/]"
            if finding.problem
            else ("[dim]skipped[/]" if finding.skipped else "[green]kept[/]")
        )
        out_console.print(f"{mark} {finding.check}{_reason(finding.problem or finding.skipped)}")
    broken = sum(bool(finding.problem) for finding in findings)
    out_console.print(f"{name} of {plugin.package}: {len(findings)} promises, {broken} broken.")
    raise typer.Exit(1 if broken else 0)


def _kind_of(name: str) -> Kind:
    kinds: tuple[Kind, ...] = ("methods", "metrics")
    for kind in kinds:
        if name in registry.entries(kind):
            return kind
    known = [*registry.entries("methods"), *registry.entries("metrics")]
    raise XaibenchError(registry.unknown("method or metric", name, known))


def _print_list(header: list[str], rows: list[list[str]], problems: list[str]) -> None:
    out_console.print(table(header, rows))
    for problem in problems:
        say(problem)


def _reason(text: str) -> str:
    return f": {escape(text)}" if text else ""
