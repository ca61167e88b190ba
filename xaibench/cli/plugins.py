"""`xaibench plugin ...`: check a plugin against the contract, and write a new one."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from xaibench.cli import options
from xaibench.cli.terminal import out_console, without_import_chatter
from xaibench.harness import registry

plugin_app = typer.Typer(no_args_is_help=True, help="Check plugins, and write new ones.")


@plugin_app.command(
    "check", epilog="Example: `xaibench plugin check grad-cam`", context_settings=options.OPEN
)
def plugin_check(
    name: Annotated[str, typer.Argument(help="registered name of a plugin of any kind")],
    more: options.More = None,
) -> None:
    """Run the contract's checks on a plugin (exit code 1 if a promise is broken).

    Methods and metrics are tried on a tiny model; a dataset, model or classifier that needs a path takes it as
    an option, such as `--root FOLDER`.
    """
    plugin = registry.find(name)
    with without_import_chatter():
        from xaibench.harness.contract.checks import check_plugin

    findings = list(check_plugin(plugin, options.of_sources(more or ())))
    for finding in findings:
        out_console.print(f"{_mark(finding.problem, finding.skipped)} {finding.check}{_reason(finding.told)}")
    broken = sum(bool(finding.problem) for finding in findings)
    out_console.print(f"{name} of {plugin.package}: {len(findings)} promises, {broken} broken.")
    raise typer.Exit(1 if broken else 0)


@plugin_app.command("new", epilog="Example: `xaibench plugin new my-method`")
def plugin_new(
    name: Annotated[str, typer.Argument(help="name to register, such as my-method")],
    kind: Annotated[str, typer.Option(help="method, metric or dataset")] = "method",
    out: Annotated[Path, typer.Option(help="folder to write the package into")] = Path(),
) -> None:
    """Write a package with one plugin that keeps the contract, with its test."""
    from xaibench.harness.contract.template import write_package

    folder = write_package(name, kind, out)
    shown = escape(str(folder))
    out_console.print(f"Wrote {shown}")
    out_console.print(f"Next: `pip install -e {shown}`, then `xaibench plugin check {name}`.")


def _mark(problem: str, skipped: str) -> str:
    return "[red]broken[/]" if problem else ("[dim]skipped[/]" if skipped else "[green]kept[/]")


def _reason(text: str) -> str:
    return f": {escape(text)}" if text else ""
