"""Insertion (Petsiuk, Das and Saenko 2018, "RISE", arXiv:1806.07421, sec. 4.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from xaibench.api import (
    Case,
    Classifier,
    Explain,
    Explanation,
    Family,
    Measurement,
    Need,
    seed_of,
)
from xaibench.metrics.common.curves import Removal, area, ask, check, inner_counts, measured
from xaibench.metrics.common.ordering import ordering


@dataclass(frozen=True)
class InsertionAuc:
    """Area under the probability of the explained class while the hottest pixels are restored; high is good.

    AUC = sum over i = 1 .. steps of (p_(i-1) + p_i) / (2 steps), where p_i is the probability of the
    baseline in which the hottest round(i h w / steps) pixels are those of the image; p_0 is of the baseline,
    p_steps of the image itself. Range 0 .. 1. Baselines are computed once from the original image: `blur`,
    `mean`, `black`, or `noisy-linear` (ROAD, Rong et al. 2022, arXiv:2202.00449).

    A random map has no fixed value: read it beside the `random` control. Pitfalls: the first pixels appear
    on an image that the model never saw; on `black` a lone bright dot is an edge of its own (`blur` avoids
    that); where the baseline itself shows the class, there is no evidence to restore. Recorded beside it:
    `normalised` (area of (p - p_0) / (p_steps - p_0); it leaves 0 .. 1 where the curve does, and is missing
    where p_0 and p_steps differ by less than 0.05) and `tied_share` of the pixels.
    """

    steps: int = 20
    baseline: str = "blur"
    seed: int = 0

    family: ClassVar = Family.FAITHFULNESS
    higher_is_better: ClassVar = True
    range: ClassVar = (0.0, 1.0)
    source: ClassVar = "Petsiuk et al. 2018"
    chance: ClassVar = "found by the same map shifted around the image's torus: value - gain"
    needs: ClassVar = frozenset({Need.SCORES})
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"smoke": {"steps": 8}, "paper": {"steps": 50}}

    def __post_init__(self) -> None:
        check(self._removal)

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Area under the curve; steps - 1 images are predicted, besides two that all heatmaps share."""
        order = ordering(explanation.heatmap, seed_of(self.seed, case.id, "insertion-auc"))
        kept = order.ranks < inner_counts(order.ranks.size, self.steps)
        answers = ask(classifier, case, explanation, kept, self._removal)
        value = area(answers.empty, answers.partial, answers.whole)
        return measured(value, answers, order.tied_share)

    @property
    def _removal(self) -> Removal:
        return Removal(self.baseline, self.steps, self.seed)
