"""What the commands print with: the two streams, tables, and silence while TensorFlow is imported."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

UNBROKEN = (
    "place",
    "latency",
    "name",
    "method",
    "family",
    "status",
    "patient",
    "co-localisation",
    "faithfulness",
    "robustness",
)  # columns
WIDTH = 140
"""Of a pipe or a log file, which has none of its own; 80 columns would break every table."""
out_console = Console(soft_wrap=True, width=None if sys.stdout.isatty() else WIDTH)
error_console = Console(stderr=True, soft_wrap=True)


@contextmanager
def without_import_chatter() -> Iterator[None]:
    """Import TensorFlow and what the block does; what its C++ part writes meanwhile is dropped, no setting stops it."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        import xaibench.classifiers.keras  # noqa: F401  every command that comes here needs it

        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def say(sentence: str) -> None:
    """Tell something on the error stream."""
    error_console.print(escape(sentence))


def table(header: list[str], rows: list[list[str]]) -> Table:
    """Plain table of texts."""
    made = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for column in header:
        made.add_column(column, no_wrap=column in UNBROKEN, overflow="fold")
    for row in rows:
        made.add_row(*map(escape, row))
    return made


def widest_that_fits(*tables: Table) -> Table:
    """Return the first table that needs no line broken at the terminal's width, or else the last."""
    fitting = [one for one in tables if out_console.measure(one).maximum <= out_console.width]
    return (fitting or list(tables))[0 if fitting else -1]
