"""Throughput: how fast a whole cohort is explained."""

import time
from dataclasses import dataclass
from typing import ClassVar

from xaibench.api import Case, ExplainBatch, Family, Measurement, Need


@dataclass(frozen=True)
class Throughput:
    """Images explained a second, all cases given in one batch after warm-up; high is good.

    Number of cases / wall-clock seconds of one call. Range 0 .. infinity. A random map is bounded by the
    random number generator alone. Pitfalls: one measurement, of this machine and this cohort; a small cohort may not
    fill a batch.
    """

    family: ClassVar = Family.COST
    higher_is_better: ClassVar = True
    range: ClassVar = (0.0, float("inf"))
    unit: ClassVar = "images/s"
    source: ClassVar = "xaibench"
    chance: ClassVar = "bounded by the random number generator alone"
    needs: ClassVar = frozenset({Need.TIMING})
    aggregate: ClassVar = "median"

    def score_batch(self, cases: list[Case], explain: ExplainBatch) -> Measurement:
        """Time one call that explains all cases."""
        started = time.perf_counter()
        explain(cases)
        return Measurement(len(cases) / (time.perf_counter() - started))
