"""Measures whether the heatmaps that explain medical-image classifiers are right.

`run`, `score`, `explain`, `open_run` and `Result` are imported when they are first used: `import xaibench` is light.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xaibench.interface import Result, explain, open_run, run, score

__all__ = ["Result", "explain", "open_run", "run", "score"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is asked for."""
    if name not in __all__:
        raise AttributeError(f"module 'xaibench' has no attribute {name!r}")
    from xaibench import interface

    return getattr(interface, name)


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return [*globals(), *__all__]
