"""How long work tells what it is doing."""

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar, runtime_checkable

Item = TypeVar("Item")


@runtime_checkable
class Progress(Protocol):
    """Told sentences and steps; the command line shows them, a library call may not."""

    def say(self, sentence: str) -> None:
        """Tell a sentence."""
        ...

    def track(self, items: Sequence[Item], what: str) -> Iterator[Item]:
        """Yield the items, showing how far it is."""
        ...


class Silent:
    """Progress that nobody watches."""

    def say(self, sentence: str) -> None:
        """Tell nobody."""

    def track(self, items: Sequence[Item], what: str) -> Iterator[Item]:
        """Yield the items."""
        yield from items
