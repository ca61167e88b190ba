"""Sensitivity to input noise (after Yeh et al. 2019, arXiv:1901.09392), relative to the map."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Measurement, Need
from xaibench.metrics.common.copies import noisy, require_draws
from xaibench.metrics.common.similarity import relative_changes


@dataclass(frozen=True)
class SensitivityNorm:
    """Mean over draws of ||phi(x + e) - phi(x)||_2 / ||phi(x)||_2; low is good.

    phi is the raw heatmap of the same class, with the method's own seed unchanged; e is Gaussian (mean 0)
    with `sigma` times the image's own robust range (1st to 99th percentile), the same draws for every method. A
    copy whose predicted class flips is replaced by one with half the noise, and so on: a faithful map has to
    change with the class. Range 0 .. infinity. Dividing by the map's own norm makes it free of the heatmap's scale
    and of any other image's. Beside it: `sigma`, the mean that was used, and `flips`, how many copies needed less.

    A map that does not look at the image scores 0, so a fixed `random` map is perfect here, and two unrelated
    random maps of mean 0 score about sqrt(2). Pitfalls: a low value says nothing of faithfulness; maps that sum
    to something small have a small norm and large ratios. An all-zero map scores 0 if the maps of all draws are
    zero too; otherwise a relative change has no meaning.
    """

    draws: int = 3
    sigma: float = 0.1
    seed: int = 0

    family: ClassVar = Family.ROBUSTNESS
    higher_is_better: ClassVar = False
    range: ClassVar = (0.0, float("inf"))
    source: ClassVar = "after Yeh et al. 2019"
    chance: ClassVar = "0 for a map that ignores the image, sqrt(2) for maps drawn independently"
    needs: ClassVar = frozenset({Need.SCORES, Need.EXPLAIN})
    aggregate: ClassVar = "median"
    ranked: ClassVar = "unchanged under noise"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"smoke": {"draws": 2}, "paper": {"draws": 10}}

    def __post_init__(self) -> None:
        require_draws("sensitivity-norm", self.draws)

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Explain all noisy copies in one batch and average the relative changes.

        Raises NotApplicable if the heatmap is all zero and those of the copies are not, or if no noise keeps the class.
        """
        copies, details = noisy(classifier, case, explanation.target, self.draws, self.sigma, self.seed)
        changes = relative_changes(explanation.heatmap, explain(copies.images))
        return Measurement(float(changes.mean()), details)
