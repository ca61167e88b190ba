"""How numbers are written: exactly in files for machines, briefly on pages for readers."""

from collections.abc import Sequence

from xaibench.reports.scoring.signed_rank import SIGNIFICANT

ABSENT = "-"
"""Stands where there is no number; readers of CSV files take it for text, not for NaN."""


def exact(value: float | None) -> str:
    """Six significant digits, or `-` where there is no value."""
    # Adding zero turns -0.0 into 0.0.
    return ABSENT if value is None else f"{value + 0.0:.6g}"


def brief(value: float | int | None) -> str:
    """Three significant digits; whole numbers with thousands separated from 1000 on."""
    return ABSENT if value is None else _digits(value, 3)


def _digits(value: float, digits: int) -> str:
    if abs(value) >= 999.5:
        return f"{value:,.{max(0, digits - 4)}f}"
    return f"{value + 0.0:.{digits}g}"


def apart(*values: float) -> list[str]:
    """Write numbers briefly, with more digits where rounding would make different ones look alike."""
    for digits in range(3, 9):
        texts = [_digits(value, digits) for value in values]
        if len(set(texts)) == len(set(values)):
            break
    return texts


def figure(value: float | None, low: float | None, high: float | None, against: float | None = None) -> str:
    """Write a value with its interval, such as `0.5 [0.4, 0.6]`, never rounded onto what it is compared with."""
    if value is None:
        return ABSENT
    known = [number for number in (value, low, high, against) if number is not None]
    texts = dict(zip(known, apart(*known), strict=True))
    if low is None or high is None:
        return texts[value]
    return f"{texts[value]} [{texts[low]}, {texts[high]}]"


def span(low: float | None, high: float | None) -> str:
    """Write an interval briefly, or nothing where there is none."""
    return "" if low is None or high is None else f"[{brief(low)}, {brief(high)}]"


def percent(share: float) -> str:
    """Write a share in [0, 1] as percent; only nothing is 0 % and only all is 100 %."""
    decimals = 0 if share >= 0.0995 else 1
    while decimals < 6 and 0 < share < 1 and float(f"{100 * share:.{decimals}f}") in (0, 100):
        decimals += 1
    return f"{100 * share:.{decimals}f} %"


def p_text(p: float) -> str:
    """Write a p-value such as `p = 0.012`, never rounded across the level of the tests."""
    return "p < 0.0001" if p < 0.0001 else f"p = {apart(p, SIGNIFICANT)[0]}"


def plural(count: int, noun: str, several: str = "") -> str:
    """Write a count with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {several or noun + 's'}"


def listed(items: Sequence[str]) -> str:
    """Join words as a sentence does: `a, b and c`."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def verb(items: Sequence[object], one: str, several: str) -> str:
    """Pick the form of a verb that agrees with the number of items."""
    return one if len(items) == 1 else several


def one_line(text: str) -> str:
    """Join the lines of a message."""
    return " ".join(text.split())


def capitalised(text: str) -> str:
    """Begin a sentence; names further on keep their letters."""
    return text[:1].upper() + text[1:]
