"""What is told while work goes on: sentences, bars on a terminal, and a line a minute where nobody watches one."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn, track

from xaibench.harness.cells import Result
from xaibench.harness.run import Watch

Item = TypeVar("Item")
EVERY = 60.0
"""Seconds between lines where there is no terminal."""


@dataclass(frozen=True)
class ConsoleProgress:
    """Tells the user, on the error stream, what is being done."""

    console: Console

    def say(self, sentence: str) -> None:
        """Print a sentence."""
        self.console.print(escape(sentence))

    def track(self, items: Sequence[Item], what: str) -> Iterator[Item]:
        """Yield the items under a progress bar."""
        hidden = not self.console.is_terminal
        yield from track(items, what, console=self.console, transient=True, disable=hidden)


@contextmanager
def watching(console: Console) -> Iterator[Watch]:
    """Show the cells of a run as they are finished: a bar on a terminal, else a line a minute."""
    if not console.is_terminal:
        yield Lines(console)
        return
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[passes]:,} passes"),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None, passes=0)

        def watch(result: Result, cells: int) -> None:
            passes = bar.tasks[0].fields["passes"] + result.passes.forward
            what = escape(f"{result.cell.method} on {result.cell.unit.id}")
            bar.update(task, total=cells, advance=1, passes=passes, description=what)

        yield watch


class Lines:
    """Prints a line a minute: cells done, what was last, time left.

    The time left goes by the cells after the first, before which methods learn and functions are traced.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.done = 0
        self.first = self.told = time.monotonic()

    def __call__(self, result: Result, cells: int) -> None:
        """Count a result, and tell if it is time to."""
        self.done += 1
        now = time.monotonic()
        if self.done == 1:
            self.first = now
        elif now - self.told >= EVERY:
            self.told = now
            left = (now - self.first) / (self.done - 1) * (cells - self.done)
            what = escape(f"{result.cell.method} on {result.cell.unit.id}")
            self.console.print(f"{self.done} of {cells} cells, about {left:.0f} s left; last: {what}")
