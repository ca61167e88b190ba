"""`python -m benchmarks`: overhead over the forward-pass floor, beside other libraries."""

from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks.timing import QUICK, Effort

MODELS = ("compact", "resnet50")
FOLDER = Path(__file__).parent / "results"


def main(
    models: Annotated[str, typer.Option(help="Models, separated by commas.")] = ",".join(MODELS),
    jobs: Annotated[str, typer.Option(help="Works (rise,lime ...), separated by commas; empty = all.")] = "",
    rounds: Annotated[int | None, typer.Option(min=1, help="Rounds of floor and job in turns.")] = None,
    quick: Annotated[bool, typer.Option(help="Small budgets: shows that it runs, measures badly.")] = False,
    out: Annotated[Path, typer.Option(help="JSON file to write.")] = FOLDER / "latest.json",
) -> None:
    """Time explainers and curve metrics against the time of the model passes that they need.

    Example: uv run python -m benchmarks --models compact --jobs rise,lime --rounds 3
    """
    from benchmarks.comparison import MODELS as KNOWN
    from benchmarks.comparison import compare
    from benchmarks.table import machine, write

    wanted = models.split(",")
    unknown = [name for name in wanted if name not in KNOWN]
    if unknown:
        raise typer.BadParameter(f"There is no model {unknown[0]!r}; choose from {', '.join(KNOWN)}.")
    effort = QUICK if quick else Effort()
    effort = replace(effort, rounds=rounds or effort.rounds)
    console = Console(width=None)
    results: dict[str, Any] = {"machine": machine(), "models": {}}
    for name in wanted:
        results["models"][name] = compare(name, effort, frozenset(filter(None, jobs.split(","))), console)
    write(out, results)
    console.print(f"Written to {out}")


if __name__ == "__main__":
    typer.run(main)
