"""Which methods differ, and by how much: paired tests over patients, corrected for how many were made.

The best method is known from the same patients who test it, so any pair could have come to be compared with it: tests
against the best are corrected for all pairs. Corrected for the methods beside the best alone, 11 to 21 % of cohorts
without any difference found one (8 and 20 methods, 12 and 28 patients); so, 0 to 4 %.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from xaibench.reports.scoring.intervals import Aggregate, Estimate, Interval, Values, as_written, estimate
from xaibench.reports.scoring.signed_rank import (
    SIGNIFICANT,
    Alternative,
    detectable_effect,
    p_value,
    rank_biserial,
    smallest_p,
)
from xaibench.reports.text import plural

Pair = tuple[str, str]


@dataclass(frozen=True)
class Comparison:
    """Two methods over the patients that both have."""

    first: str
    second: str
    difference: Estimate
    """Median over patients of the paired difference, in the metric's unit; positive where the first is better."""
    effect: Estimate
    """Matched-pairs rank-biserial correlation; 1 where all patients favour the first."""
    p: float
    """Wilcoxon's signed-rank test, two-sided."""
    corrected_p: float
    """Corrected for all pairs that were or could have been tested (Holm 1979)."""
    visible: float | None
    """Smallest difference that would have been seen with 80 % power; None where none, or where nothing varies."""
    reason: str = ""
    """Why no difference, however large, could have been seen; empty where one could."""

    @property
    def differs(self) -> bool:
        """Whether the data tell the two apart."""
        return self.corrected_p < SIGNIFICANT


@dataclass(frozen=True)
class Gain:
    """What a method's values exceed those without knowledge by, over patients."""

    method: str
    gain: Estimate
    p: float
    """Wilcoxon's signed-rank test of a gain above 0, one-sided."""
    corrected_p: float
    """Corrected for all methods (Holm 1979)."""
    reason: str = ""
    """Why no gain, however large, could have been seen; empty where one could."""

    @property
    def above_chance(self) -> bool:
        """Whether the data tell that the gain is above 0."""
        return self.corrected_p < SIGNIFICANT


def holm(p: Sequence[float]) -> list[float]:
    """Correct p values for their number (Holm 1979), each in its place."""
    order = np.argsort(p)
    steps = np.maximum.accumulate(np.asarray(p)[order] * np.arange(len(p), 0, -1))
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(steps, 1)
    return [float(each) for each in corrected]


def against_best(values: Mapping[str, Values], best: str, higher_is_better: bool) -> tuple[Comparison, ...]:
    """Compare the best method with each other, corrected for all pairs of methods; see `compare`."""
    pairs = [(best, method) for method in values if method != best]
    return compare(values, pairs, higher_is_better, list(itertools.combinations(values, 2)))


def compare(
    values: Mapping[str, Values],
    pairs: Sequence[Pair],
    higher_is_better: bool,
    tested: Sequence[Pair] | None = None,
) -> tuple[Comparison, ...]:
    """Compare pairs of methods over patients.

    `values` has one value a patient, NaN where there is none, of the same patients in the same order for each method.
    Values that agree in six digits are the same, as in scores.csv. `tested` are the pairs to correct for (default:
    `pairs`); it holds all of `pairs`, in either order.
    """
    tested = pairs if tested is None else tested
    found = {frozenset(pair): p_value(_differences(values, pair, higher_is_better)) for pair in tested}
    corrected = dict(zip(found, holm(list(found.values())), strict=True))
    kept = [_differences(values, pair, higher_is_better) for pair in pairs]
    return tuple(
        _comparison(pair, differences, corrected[frozenset(pair)], len(found))
        for pair, differences in zip(pairs, kept, strict=True)
    )


def _differences(
    values: Mapping[str, Values], pair: Pair, higher_is_better: bool
) -> Float[np.ndarray, "finite"]:
    first, second = pair if higher_is_better else pair[::-1]
    same = as_written(values[first]) == as_written(values[second])
    return _finite(np.where(same, 0.0, values[first] - values[second]))


def _finite(values: Values) -> Float[np.ndarray, "finite"]:
    finite: Values = values[np.isfinite(values)]
    return finite


def _comparison(pair: Pair, differences: Values, corrected_p: float, tests: int) -> Comparison:
    n = len(differences)
    difference, effect = estimate(differences, "median"), detectable_effect(n, SIGNIFICANT / tests)
    varies = difference.low is not None
    return Comparison(
        *pair,
        difference=difference,
        effect=rank_biserial(differences),
        p=p_value(differences),
        corrected_p=corrected_p,
        visible=effect * float(differences.std(ddof=1)) if effect and varies else None,
        reason=_too_few(n, tests, "two-sided"),
    )


def _too_few(n: int, tests: int, alternative: Alternative) -> str:
    smallest = min(1.0, tests * smallest_p(n, alternative))
    if smallest < SIGNIFICANT:
        return ""
    return (
        f"{plural(n, 'patient')} cannot settle {plural(tests, 'comparison')}: "
        f"were all of one mind, the corrected p would still be {smallest:.2g}"
    )


def gains_over_chance(
    gains: Mapping[str, Values], aggregate: Aggregate, bounds: Interval
) -> tuple[Gain, ...]:
    """Test each method's gains against 0, corrected for the number of methods.

    `gains` has one value a patient, NaN where there is none: the metric's value minus that of the same map shifted,
    signed so that more is better. `bounds` are the lowest and highest possible gain; within a finite range, gains of
    less than a billionth of it are rounding and count as 0.
    """
    finite = {method: _without_rounding(_finite(values), bounds) for method, values in gains.items()}
    found = [p_value(values, "greater") for values in finite.values()]
    estimates = [estimate(values, aggregate, bounds) for values in finite.values()]
    return tuple(
        Gain(method, gain, p, corrected, _too_few(gain.n, len(gains), "greater"))
        for method, gain, p, corrected in zip(gains, estimates, found, holm(found), strict=True)
    )


def _without_rounding(gains: Values, bounds: Interval) -> Values:
    width = bounds[1] - bounds[0]
    return np.asarray(np.round(gains / width, 9) * width) if math.isfinite(width) else gains
