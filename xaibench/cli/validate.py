"""`xaibench validate`: tells whether the benchmark itself is right."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from xaibench.api import write_file
from xaibench.cli import options
from xaibench.cli.terminal import error_console, out_console, table, without_import_chatter


def validate(
    metrics: options.Metrics = None,
    repeats: Annotated[int, typer.Option(min=2, help="worlds of other seeds, at most, in each arena")] = 20,
    cases: Annotated[int, typer.Option(min=1, help="cases in each world, at most")] = 6,
    out: Annotated[Path | None, typer.Option(help="folder for validation.md and judgements.json")] = None,
) -> None:
    """Score maps whose order is known by each metric (exit code 1 if a metric cannot tell truth from no knowledge)."""
    from xaibench.cli.progress import ConsoleProgress
    from xaibench.harness import registry
    from xaibench.harness.configured import configure
    from xaibench.harness.spec import Preset, RunSpec

    with without_import_chatter():
        from xaibench.validation import page
        from xaibench.validation.judge import judge_everywhere

    chosen, problems = registry.select("metrics", metrics or "all")
    progress = ConsoleProgress(error_console)
    for problem in problems:
        progress.say(problem)
    spec = RunSpec(preset=Preset.STANDARD)
    judged = [
        judge_everywhere(configure(plugin, spec), repeats, cases)
        for plugin in progress.track(chosen, "metrics")
    ]
    found = [judgement for of_metric in judged for judgement in of_metric]
    shown = page.table([one for one in found if one.tried])
    out_console.print(table(list(shown.columns[:-1]), shown.iloc[:, :-1].to_numpy().tolist()))
    for one in found:
        if not one.tried:
            out_console.print(escape(f"{one.metric}: {one.reason}"))
    if out is not None:
        write(out / "validation.md", page.page(found, repeats, cases))
        write(out / "judgements.json", page.as_json(found))
    raise typer.Exit(1 if any(one.tried and not one.passed for one in found) else 0)


def write(path: Path, text: str) -> None:
    """Write a text file and say so."""
    write_file(path, lambda file: file.write(text.encode()))
    out_console.print(f"Wrote {escape(str(path))}")
