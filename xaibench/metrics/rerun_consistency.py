"""Rerun consistency: whether a method that draws gives the same map with another seed."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Measurement, Need, seed_of
from xaibench.metrics.common.similarity import spearman


@dataclass(frozen=True)
class RerunConsistency:
    """Spearman rank correlation of the map with that of another seed; high is good.

    Range -1 .. 1; ties at their mean rank, two constant maps count as alike, one constant map as unlike any other.

    A method that draws nothing scores 1, a map drawn anew 0. Pitfalls: a fixed wrong map is perfectly consistent;
    maps of few values correlate little, since ranks of ties carry no order.
    """

    seed: int = 0

    family: ClassVar = Family.ROBUSTNESS
    higher_is_better: ClassVar = True
    range: ClassVar = (-1.0, 1.0)
    source: ClassVar = "xaibench"
    chance: ClassVar = "0 for maps drawn independently, 1 for a method that draws nothing"
    needs: ClassVar = frozenset({Need.EXPLAIN})

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Explain once more and compare."""
        other = np.array([seed_of(self.seed, case.id, "rerun-consistency")])
        return Measurement(spearman(explanation.heatmap, explain(seeds=other)[0]))
