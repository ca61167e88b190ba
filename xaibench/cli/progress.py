"""What is told while work goes on: sentences, and bars that are silent where nobody watches a terminal."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn, track

from xaibench.api import Passes
from xaibench.harness.run import Watch

Item = TypeVar("Item")


@dataclass(frozen=True)
class Voice:
    """Tells the user, on the error stream, what is being done."""

    console: Console = field(default_factory=lambda: Console(stderr=True, soft_wrap=True))

    def say(self, sentence: str) -> None:
        """Print a sentence."""
        self.console.print(escape(sentence))

    def track(self, items: Sequence[Item], what: str) -> Iterator[Item]:
        """Yield the items under a progress bar."""
        hidden = not self.console.is_terminal
        yield from track(items, what, console=self.console, transient=True, disable=hidden)


@contextmanager
def progress_bar(console: Console, total: int, passes: Callable[[], Passes]) -> Iterator[Watch]:
    """Bar over the records of a run: what is running, passes done, time left; gives what the run tells its steps."""
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
