"""`xaibench leaderboard ...`: publish runs, build the site of a board, verify and withdraw entries."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from xaibench.cli import options
from xaibench.cli.terminal import error_console, out_console, say, without_import_chatter

leaderboard_app = typer.Typer(no_args_is_help=True, help="Publish runs on a board, and verify them.")
EntryFile = Annotated[Path, typer.Argument(help="file of an entry: BOARD/entries/HASH.json")]


@leaderboard_app.command("init", epilog="Example: `xaibench leaderboard init board`")
def leaderboard_init(
    board: Annotated[Path, typer.Argument(help="folder of the board, meant as a git repository")],
) -> None:
    """Make a board with a CI workflow that checks and verifies what pull requests add."""
    from xaibench.reports.board.folder import init

    out_console.print(f"Workflow: {escape(str(init(board)))}")


@leaderboard_app.command("add", epilog="Example: `xaibench leaderboard add runs/s --board board`")
def leaderboard_add(
    run: Annotated[Path, typer.Argument(help="folder of a run")],
    board: Annotated[Path, typer.Option(help="folder of the board")],
    with_report: Annotated[
        bool,
        typer.Option("--with-report", help="keep report.html too: it shows patients and their pseudonyms"),
    ] = False,
) -> None:
    """Write one immutable entry for a run; adding it again changes nothing."""
    from xaibench.harness.store.folder import RunFolder
    from xaibench.reports.board.folder import add

    folder = RunFolder.existing(run)
    path, new = add(folder, board, with_report)
    folder.close()
    out_console.print(f"{'Added' if new else 'Already there'}: {escape(str(path))}")


@leaderboard_app.command("build", epilog="Example: `xaibench leaderboard build board`")
def leaderboard_build(
    board: Annotated[Path, typer.Argument(help="folder of the board")],
    out: Annotated[Path | None, typer.Option(help="folder of the site  [default: BOARD/site]")] = None,
) -> None:
    """Make the static site of a board; every entry is checked on the way."""
    from xaibench.reports.board.site import build

    out_console.print(f"Site: {escape(str(build(board, out)))}")


@leaderboard_app.command(
    "verify",
    epilog="Example: `xaibench leaderboard verify board/entries/HASH.json --share 0.1`",
    context_settings=options.OPEN,
)
def leaderboard_verify(
    entry: EntryFile,
    share: Annotated[float, typer.Option(min=0, max=1, help="share of the cells to re-run")] = 0.05,
    at_least: Annotated[int, typer.Option(min=1, help="smallest number of cells to re-run")] = 20,
    seed: Annotated[
        int | None, typer.Option(min=0, help="draws the cells  [default: one that nobody knows before]")
    ] = None,
    more: options.More = None,
    dataset: Annotated[str | None, typer.Option(help="the cohort, where the entry's was a path")] = None,
    model: Annotated[str | None, typer.Option(help="the model, where the entry's was a path")] = None,
) -> None:
    """Re-run a random sample of an entry's cells, and write the badge beside it; exit code 1 if any differs."""
    with without_import_chatter():
        from xaibench.reports.board.sample import Sample, unforeseen_seed
        from xaibench.reports.board.verify import Own, verify
    from xaibench.cli.progress import ConsoleProgress

    sample = Sample(unforeseen_seed() if seed is None else seed, share, at_least)
    own = Own(dataset, model, options.of_sources(more or ()))
    badge, found = verify(entry, sample, ConsoleProgress(error_console), own)
    for problem in found.problems:
        say(problem)
    outcome = "Verified" if found.passed else "NOT verified"
    out_console.print(escape(f"{outcome}: {found.text}"))
    out_console.print(escape(found.caution))
    out_console.print(f"Badge: {escape(str(badge))}")
    raise typer.Exit(0 if found.passed else 1)


@leaderboard_app.command(
    "withdraw", epilog="Example: `xaibench leaderboard withdraw board/entries/HASH.json --reason '...'`"
)
def leaderboard_withdraw(
    entry: EntryFile, reason: Annotated[str, typer.Option(help="why, in a sentence that the board shows")]
) -> None:
    """Mark an entry as withdrawn: it stays, and is ranked nowhere."""
    from xaibench.reports.board.folder import withdraw

    out_console.print(f"Withdrawn: {escape(str(withdraw(entry, reason)))}")
