"""`xaibench report A B`: runs compared with the first."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from rich.markup import escape

from xaibench.cli.terminal import out_console, say


def compare(folders: Sequence[Path]) -> None:
    """Compare each further run with the first; the page stands in the further run's folder."""
    from xaibench.harness.store.folder import RunFolder
    from xaibench.reports.comparison.page import write_comparison

    first, *others = folders
    with closing(RunFolder.existing(first)) as own:
        for other in others:
            with closing(RunFolder.existing(other)) as folder:
                for sentence in write_comparison(own, folder, names_of(first, other)):
                    say(sentence)
            out_console.print(f"Comparison: {escape(str(other / 'comparison.html'))}")


def names_of(first: Path, second: Path) -> tuple[str, str]:
    """Names of two folders; with their parents where they are called alike."""
    own, other = first.resolve(), second.resolve()
    if own.name != other.name:
        return own.name, other.name
    return f"{own.parent.name}/{own.name}", f"{other.parent.name}/{other.name}"
