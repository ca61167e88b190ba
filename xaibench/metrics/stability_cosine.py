"""Stability: cosine similarity of the maps of noisy copies (the review's robustness score)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Measurement, Need
from xaibench.metrics.common.copies import noisy, require_draws
from xaibench.metrics.common.similarity import cosine


@dataclass(frozen=True)
class StabilityCosine:
    """Mean over draws of the cosine between phi(x + e) and phi(x); high is good.

    The noisy copies, and so the maps, are those of `sensitivity-norm`: nothing is explained again for it. Range
    -1 .. 1. Two all-zero maps count as alike, one all-zero map as unlike any other. Beside it: `sigma`, the mean that
    was used, and `flips`, how many copies needed less noise to keep their class.

    A map that does not look at the image scores 1; two unrelated random maps score 0 if their mean is 0, and
    0.75 if drawn uniformly from [0, 1]. Pitfalls: maps that are positive everywhere are alike to begin with; a
    high value says nothing of faithfulness.
    """

    draws: int = 3
    sigma: float = 0.1
    seed: int = 0

    family: ClassVar = Family.ROBUSTNESS
    higher_is_better: ClassVar = True
    range: ClassVar = (-1.0, 1.0)
    source: ClassVar = "xaibench"
    chance: ClassVar = "1 for a map that ignores the image, 0 for maps of mean 0 drawn independently"
    needs: ClassVar = frozenset({Need.SCORES, Need.EXPLAIN})
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"smoke": {"draws": 2}, "paper": {"draws": 10}}

    def __post_init__(self) -> None:
        require_draws("stability-cosine", self.draws)

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Compare the maps. Raises NotApplicable if no noise keeps the class."""
        copies, details = noisy(classifier, case, explanation.target, self.draws, self.sigma, self.seed)
        alike = [cosine(explanation.heatmap, changed) for changed in explain(copies.images)]
        return Measurement(float(np.mean(alike)), details)
