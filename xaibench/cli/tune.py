"""`xaibench tune`: chooses an explainer's parameters on training patients."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from xaibench.api import XaibenchError, write_file
from xaibench.cli import options
from xaibench.cli.terminal import error_console, out_console, without_import_chatter
from xaibench.harness.spec import make_spec


def tune(
    method: Annotated[str, typer.Argument(help="explainer whose parameters are chosen")],
    metric: Annotated[str, typer.Option(help="metric that they are chosen by")],
    more: options.More = None,
    trials: Annotated[int, typer.Option(min=1, help="choices that are tried, the defaults first")] = 20,
    search: Annotated[
        list[str] | None, typer.Option(help="parameter and its range, masks=64:512; default: every number")
    ] = None,
    dataset: options.DatasetName = None,
    model: options.ModelName = None,
    preset: options.PresetName = None,
    patients: Annotated[int | None, typer.Option(help="training patients  [default: 8]")] = None,
    seed: options.Seed = None,
    out: Annotated[
        Path | None, typer.Option(help="YAML file for `run --config`  [default: METHOD.yaml]")
    ] = None,
) -> None:
    """Choose an explainer's parameters by a metric, on patients that the model was trained on.

    No patient of the cohort is used, so a run with the file that is written scores the choice on others.
    """
    from xaibench.cli.progress import ConsoleProgress

    settings = {**options.of_run(locals()), "methods": method, "metrics": metric}
    spec = make_spec({name: value for name, value in settings.items() if name != "metric"})
    with without_import_chatter():
        from xaibench.harness.tuning import tune as search_for
    found = search_for(spec, trials, ConsoleProgress(error_console), ranges(search or []))
    path = out or Path(f"{method}.yaml")
    write_file(path, lambda file: file.write(found.as_config().encode()))
    out_console.print(escape(found.as_config()))
    out_console.print(
        f"Written to {escape(str(path))}; use it with `xaibench run --config {escape(str(path))}`."
    )


def ranges(texts: list[str]) -> dict[str, tuple[float, float]]:
    """Read `name=low:high`. Raises XaibenchError for anything else."""
    found: dict[str, tuple[float, float]] = {}
    for text in texts:
        name, _, span = text.partition("=")
        try:
            low, high = map(float, span.split(":"))
        except ValueError as error:
            raise XaibenchError(f"--search {text} is no range; write it as masks=64:512.") from error
        if not 0 < low < high:
            raise XaibenchError(f"--search {text}: the lowest value must be above 0 and below the highest.")
        found[name] = (low, high)
    return found
