"""How far a score may be from the same score made elsewhere.

Arithmetic alone moves scores. With every weight of the default model changed by about a millionth of itself, as much as
another machine's rounding might amount to, the 1,238 figures of a smoke run (14 methods, 4 patients) that are no times
stayed within 7 % of the tolerances here; so did the 1,350 of one without oneDNN and on one thread.
"""

import math

from xaibench.api import Need
from xaibench.harness.store.run_info import MetricInfo, Scope

SHARE = 1e-3
"""Of the range of a metric, or of the value where the range has no end."""
ROUNDING = 1e-6
"""In the unit of a metric whose range has no end: a value of 0 is rarely found again to the last digit."""


def is_comparable(facts: MetricInfo) -> bool:
    """Whether another machine must find the same: everything but times and memory."""
    return facts.scope is not Scope.BATCH and Need.TIMING.value not in facts.needs


def tolerance(facts: MetricInfo, value: float) -> float:
    """Largest difference from a value that counts as the same, in the unit of the metric."""
    low, high = facts.bounds
    width = high - low
    return SHARE * width if math.isfinite(width) else SHARE * abs(value) + ROUNDING


def agrees(facts: MetricInfo, value: float, again: float) -> bool:
    """Whether a value was found again."""
    return abs(value - again) <= tolerance(facts, value)
