"""The command line: parse, call, print."""

import os
import sys
from typing import Annotated

import typer
from rich.markup import escape

from xaibench.api import XaibenchError
from xaibench.cli import run as cli_run
from xaibench.cli import study as cli_study
from xaibench.cli.checklist import checklist
from xaibench.cli.data import data_app
from xaibench.cli.leaderboard import leaderboard_app
from xaibench.cli.listing import list_app
from xaibench.cli.merge import merge
from xaibench.cli.options import OPEN
from xaibench.cli.plugins import plugin_app
from xaibench.cli.readers import readers_app
from xaibench.cli.terminal import error_console, out_console
from xaibench.cli.tune import tune
from xaibench.cli.validate import validate

INTERRUPTED = 130  # what typer makes of Ctrl-C
UNFORESEEN = 3


def show_version(wanted: bool | None) -> None:
    """Print the version and stop."""
    if wanted:
        from importlib.metadata import version

        out_console.print(f"xaibench {version('xaibench')}")
        raise typer.Exit


app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="markdown")
app.command(
    epilog="Example: `xaibench run --methods all --preset smoke --out runs/s`", context_settings=OPEN
)(cli_run.run)
app.command(epilog="Example: `xaibench report runs/s --require triage`")(cli_run.report)
app.command(epilog="Example: `xaibench merge runs/shard1 runs/shard2 --out runs/all`")(merge)
app.command(epilog="Example: `xaibench train --dataset phantom --out models/phantom`", context_settings=OPEN)(
    cli_study.train
)
app.command(epilog="Example: `xaibench study --dataset phantom --out runs/study`", context_settings=OPEN)(
    cli_study.study
)
app.command(epilog="Example: `xaibench checklist runs/s`")(checklist)
app.command(epilog="Example: `xaibench validate --repeats 5`")(validate)
app.command(epilog="Example: `xaibench tune rise --metric morf-lerf --trials 20`", context_settings=OPEN)(
    tune
)
app.add_typer(data_app, name="data")
app.add_typer(leaderboard_app, name="leaderboard")
app.add_typer(list_app, name="list")
app.add_typer(plugin_app, name="plugin")
app.add_typer(readers_app, name="readers")


@app.callback()
def xaibench(
    version: Annotated[
        bool | None, typer.Option("--version", callback=show_version, is_eager=True, help="print the version")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="show tracebacks")] = False,
) -> None:
    """Measure whether the heatmaps that explain medical-image classifiers are right."""


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
    except Exception as error:  # nothing foresaw it: one sentence, and the traceback for those who ask
        if "--debug" in sys.argv:
            raise
        text = escape(f"{type(error).__name__}: {error}")
        error_console.print(
            f"[bold red]unforeseen error:[/] {text}; run it with --debug and report what it shows."
        )
        sys.exit(UNFORESEEN)
