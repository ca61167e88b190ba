"""Progress of a run: what is running, model passes done, time left; silent where nobody watches a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from xaibench.harness.run import Watch
from xaibench.harness.types import Passes


@contextmanager
def progress_bar(total: int, passes: Callable[[], Passes]) -> Iterator[Watch]:
    """Show a bar over the records of a run; gives the function that the run tells about its steps."""
    console = Console(stderr=True)
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[passes]:,} passes"),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("", total=total, passes=0)

        def watch(running: str, finished: int) -> None:
            bar.update(task, advance=finished, passes=passes().forward)
            if running:
                bar.update(task, description=running)

        yield watch
