"""How numbers are written: exactly in files for machines, briefly on pages for readers."""

from collections.abc import Sequence

ABSENT = "-"
"""Stands where there is no number; readers of CSV files take it for text, not for NaN."""


def exact(value: float | None) -> str:
    """Six significant digits, or `-` where there is no value."""
    # Adding zero turns -0.0 into 0.0.
    return ABSENT if value is None else f"{value + 0.0:.6g}"


def brief(value: float | int | None) -> str:
    """Three significant digits; whole numbers with thousands separated from 1000 on."""
    if value is None:
        return ABSENT
    return f"{value:,.0f}" if abs(value) >= 999.5 else f"{value + 0.0:.3g}"


def span(low: float | None, high: float | None) -> str:
    """Write an interval briefly, or nothing where there is none."""
    return "" if low is None or high is None else f"[{brief(low)}, {brief(high)}]"


def percent(share: float) -> str:
    """Write a share in [0, 1] as whole percent, with a decimal below 10 %."""
    return f"{100 * share:.0f} %" if share >= 0.0995 else f"{100 * share:.1f} %"


def plural(count: int, noun: str) -> str:
    """Write a count with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listed(items: Sequence[str]) -> str:
    """Join words as a sentence does: `a, b and c`."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def one_line(text: str) -> str:
    """Join the lines of a message."""
    return " ".join(text.split())
