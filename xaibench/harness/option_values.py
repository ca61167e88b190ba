"""Numbers that options hold as text."""

import numpy as np

from xaibench.api import XaibenchError


def interval(text: str, flag: str) -> tuple[float, float]:
    """Read `LOW:HIGH`. Raises XaibenchError for anything else."""
    try:
        low, high = map(float, text.split(":"))
    except ValueError:
        low = high = 0.0
    if not (np.isfinite([low, high]).all() and low < high):
        raise XaibenchError(f"{flag} {text} is not LOW:HIGH, such as -1:1, with the lower number first.")
    return low, high


def numbers(text: str, flag: str) -> tuple[float, ...]:
    """Read numbers separated by commas. Raises XaibenchError for anything else."""
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if not found or not np.isfinite(found).all():
        raise XaibenchError(f"{flag} {text} is no number, nor numbers separated by commas.")
    return found
