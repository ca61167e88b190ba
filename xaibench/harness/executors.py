"""Where cells are computed."""

from collections.abc import Callable, Iterable, Iterator

from xaibench.harness.cells import Cell, Result

Compute = Callable[[Cell], Result]
Executor = Callable[[Compute, Iterable[Cell]], Iterator[Result]]
"""Computes cells and yields their results as they are made, in any order."""


def in_this_process(compute: Compute, cells: Iterable[Cell]) -> Iterator[Result]:
    """One cell after the other."""
    yield from map(compute, cells)
