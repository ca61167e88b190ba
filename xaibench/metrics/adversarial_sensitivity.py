"""Adversarial sensitivity (after Ghorbani, Abid and Zou 2019, "Interpretation of Neural Networks Is Fragile")."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from xaibench.api import Case, Classifier, Explain, Explanation, Family, Measurement, Need, seed_of
from xaibench.metrics.common.copies import added, require_draws, same_class
from xaibench.metrics.common.similarity import relative_changes

CELLS = 8
"""Cells along each axis whose pixels change by the same sign."""
TURNED = 0.25
"""Share of the cells whose sign a proposal of a later round turns."""


@dataclass(frozen=True)
class AdversarialSensitivity:
    """Largest relative change of the map that a search finds with hardly visible changes of the image; low is good.

    max of ||phi(x + e) - phi(x)||_2 / ||phi(x)||_2 over e that change every pixel by `largest` times the image's own
    robust range, up or down, and keep the predicted class (else the change is halved). Signs are those of the cells
    of a grid: drawn in the first round, and in each further round those of the worst so far with a quarter of the
    cells turned. Range 0 .. infinity. Beside it: `largest`, the mean that was used, and `flips`.

    A map that does not look at the image scores 0. Pitfalls: a short black-box search finds a lower bound (Ghorbani
    et al. use the gradient of the explainer, which few have); compare equal rounds and proposals only.
    """

    rounds: int = 2
    proposals: int = 2
    largest: float = 0.05
    seed: int = 0

    family: ClassVar = Family.ROBUSTNESS
    higher_is_better: ClassVar = False
    range: ClassVar = (0.0, float("inf"))
    source: ClassVar = "after Ghorbani et al. 2019"
    chance: ClassVar = "0 for a map that ignores the image"
    needs: ClassVar = frozenset({Need.SCORES, Need.EXPLAIN})
    aggregate: ClassVar = "median"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"smoke": {"rounds": 1}, "paper": {"rounds": 20}}

    def __post_init__(self) -> None:
        require_draws("adversarial-sensitivity", min(self.rounds, self.proposals))

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Search for the worst change. Raises NotApplicable as `sensitivity-norm` does."""
        rng = np.random.default_rng(seed_of(self.seed, case.id, "adversarial-sensitivity"))
        cells = (CELLS,) * (case.image.ndim - 1)
        worst, signs, strengths, flips = -1.0, np.zeros(cells), [], 0
        for _ in range(self.rounds):
            proposed = _proposed(rng, signs, self.proposals)
            patterns = [self.largest * _painted(one, case.image.shape[:-1]) for one in proposed]
            copies = same_class(classifier, case, explanation.target, added(case.image, np.array(patterns)))
            changes = relative_changes(explanation.heatmap, explain(copies.images))
            strengths += list(copies.strengths)
            flips += copies.flips
            if changes.max() > worst:
                worst, signs = float(changes.max()), proposed[copies.which[int(changes.argmax())]]
        return Measurement(
            worst, {"largest": float(self.largest * np.mean(strengths)), "flips": float(flips)}
        )


def _proposed(rng: np.random.Generator, signs: np.ndarray, count: int) -> np.ndarray:
    """Signs of the cells of new changes `[count *cells]`: drawn, or those of the worst so far with some turned."""
    if not signs.any():
        return rng.choice([-1.0, 1.0], (count, *signs.shape))
    return np.where(rng.random((count, *signs.shape)) < TURNED, -signs, signs)


def _painted(signs: np.ndarray, space: tuple[int, ...]) -> np.ndarray:
    """Sign of each pixel `[*space 1]`, that of its cell."""
    cells = [np.arange(size) * count // size for size, count in zip(space, signs.shape, strict=True)]
    return np.asarray(signs[np.ix_(*cells)][..., None])
