"""Sensitivity to input noise (after Yeh et al. 2019, arXiv:1901.09392), relative to the map."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from xaibench.api import (
    Case,
    Classifier,
    Explain,
    Explanation,
    Family,
    Images,
    Measurement,
    Need,
    NotApplicable,
    XaibenchError,
    seed_of,
)
from xaibench.metrics.common.intensity import robust_range


@dataclass(frozen=True)
class SensitivityNorm:
    """Mean over draws of ||phi(x + e) - phi(x)||_2 / ||phi(x)||_2; low is good.

    phi is the raw heatmap of the same class, with the method's own seed unchanged; e is Gaussian (mean 0)
    with sigma `sigma` times the image's own robust range, the same draws for every method. Range 0 .. infinity.
    Dividing by the map's own norm makes it free of the heatmap's scale and of any other image's.

    A map that does not look at the image scores 0, so a fixed `random` map is perfect here, and two unrelated
    random maps of mean 0 score about sqrt(2). Pitfalls: a low value says nothing of faithfulness; noise of 10 % of the
    range can change the prediction, and a faithful map then has to change as well. An all-zero map scores 0 if
    the maps of all draws are zero too; otherwise a relative change has no meaning.
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
        if self.draws < 1:
            raise XaibenchError(f"sensitivity-norm cannot average over {self.draws} draws; give 1 or more.")

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Explain all noisy copies in one batch and average the relative changes.

        Raises NotApplicable if the heatmap is all zero and those of the copies are not.
        """
        heatmap = explanation.heatmap.astype(np.float64)
        changed = explain(self._noisy_copies(case))
        distances = np.linalg.norm(changed - heatmap, axis=tuple(range(1, changed.ndim)))
        norm = np.linalg.norm(heatmap)
        if not distances.any():
            return Measurement(0.0)
        if norm == 0:
            raise NotApplicable("the heatmap is all zero, so a relative change has no meaning")
        return Measurement(float((distances / norm).mean()))

    def _noisy_copies(self, case: Case) -> Images:
        rng = np.random.default_rng(seed_of(self.seed, case.id, "sensitivity-norm"))
        noise = rng.standard_normal((self.draws, *case.image.shape), dtype=np.float32)
        copies: Images = case.image + np.float32(self.sigma * robust_range(case.image)) * noise
        return copies
