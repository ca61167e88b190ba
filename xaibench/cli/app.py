"""The command line: parse, wire, print."""

import os
import sys

import typer
from rich.markup import escape

from xaibench.api import XaibenchError
from xaibench.cli import run as cli_run
from xaibench.cli import study as cli_study
from xaibench.cli.data import data_app
from xaibench.cli.listing import list_app, plugin_app
from xaibench.cli.terminal import error_console

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="markdown", help=__doc__)
app.command(epilog="Example: `xaibench run --methods all --preset smoke --out runs/s`")(cli_run.run)
app.command(epilog="Example: `xaibench report runs/s`")(cli_run.report)
app.command(epilog="Example: `xaibench train --dataset phantom --out models/phantom`")(cli_study.train)
app.command(epilog="Example: `xaibench study --dataset phantom --out runs/study`")(cli_study.study)
app.add_typer(data_app, name="data")
app.add_typer(list_app, name="list")
app.add_typer(plugin_app, name="plugin")

INTERRUPTED = 130  # what typer makes of Ctrl-C


def main() -> None:
    """Entry point: an XaibenchError is one sentence and exit code 2; Ctrl-C says how to go on."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        app()
    except XaibenchError as error:
        error_console.print(f"[bold red]error:[/] {escape(str(error))}")
        sys.exit(2)
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            error_console.print("Stopped; everything finished is kept. The same command goes on from here.")
        raise
