"""`python -m benchmarks`: overhead over the forward-pass floor, beside other libraries."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks.comparison import MODELS, all_jobs, compare
from benchmarks.table import machine, write
from benchmarks.timing import QUICK, Effort

WIDTH = 132
"""Columns of a table that is printed to a file."""
FOLDER = Path(__file__).parent / "results"


def main(
    models: Annotated[str, typer.Option(help="Models, separated by commas.")] = "all",
    jobs: Annotated[str, typer.Option(help="Jobs (rise,lime ...), separated by commas.")] = "all",
    rounds: Annotated[int | None, typer.Option(min=1, help="Rounds of floor and job in turns.")] = None,
    quick: Annotated[bool, typer.Option(help="Small budgets: shows that it runs, measures badly.")] = False,
    out: Annotated[Path, typer.Option(help="JSON file to write.")] = FOLDER / "latest.json",
) -> None:
    """Time explainers and curve metrics against the time of the model passes that they need.

    Example: uv run python -m benchmarks --models compact --jobs rise,lime --rounds 3
    """
    effort = QUICK if quick else Effort()
    effort = replace(effort, rounds=rounds or effort.rounds)
    works = list(dict.fromkeys(job.work for job in all_jobs(effort)))
    wanted_models = chosen(models, list(MODELS), "model")
    wanted_works = frozenset(chosen(jobs, works, "job"))
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDTH)
    results: dict[str, Any] = {"machine": machine(), "models": {}}
    for name in wanted_models:
        results["models"][name] = compare(name, effort, wanted_works, console)
        write(out, results)  # after each, as a run over both takes a quarter of an hour
    console.print(f"Written to {out}")


def chosen(names: str, known: list[str], kind: str) -> list[str]:
    """Split a list of names; `all` is all of them. Raises typer.BadParameter for a name that nothing has."""
    wanted = known if names == "all" else names.split(",")
    for name in wanted:
        if name not in known:
            raise typer.BadParameter(f"There is no {kind} {name!r}; choose from {', '.join(known)}.")
    return wanted


if __name__ == "__main__":
    typer.run(main)
