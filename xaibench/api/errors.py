"""What can go wrong in a way that a reader must be told."""

import difflib
from collections.abc import Sequence


class XaibenchError(Exception):
    """Bad input or usage, said in one sentence for the reader: what, where, what to do (exit code 2)."""


class NotApplicable(Exception):  # noqa: N818 - it is an outcome, not an error
    """Raised where a method or metric has no meaning for this model or case; the message is the reason."""


def unknown(noun: str, name: str, known: Sequence[str]) -> str:
    """One sentence for an unknown name: the likely one meant, or all known ones."""
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}."
    return f"There is no {noun} {name!r}; {hint}"
