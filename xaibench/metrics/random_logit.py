"""Random logit test (Sixt, Granz and Landgraf 2020, "When Explanations Lie", arXiv:1912.09818, sec. 5)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import (
    Case,
    Classifier,
    Explain,
    Explanation,
    Family,
    Measurement,
    Need,
    NotApplicable,
    seed_of,
)
from xaibench.metrics.common.similarity import spearman


@dataclass(frozen=True)
class RandomLogit:
    """Spearman rank correlation of the map with that of another class, drawn at random; low is good.

    Both maps are of the classes' own logits where the method uses gradients. Range -1 .. 1; ties at their mean rank.

    A map that ignores the class scores 1, one drawn anew 0. Pitfalls: with two classes that exclude each other, a
    method that asks for probabilities gives exact negatives whatever it explains: such a pair is "not
    applicable" and no success. Classes that share their evidence rightly have similar maps.
    """

    seed: int = 0

    family: ClassVar = Family.RANDOMISATION
    higher_is_better: ClassVar = False
    range: ClassVar = (-1.0, 1.0)
    source: ClassVar = "Sixt et al. 2020"
    chance: ClassVar = "1 for a map that ignores the class, 0 for maps drawn independently"
    needs: ClassVar = frozenset({Need.EXPLAIN})

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Explain the other class and compare. Raises NotApplicable for one class, and for exact negatives of two."""
        others = [label for label in range(classifier.n_classes) if label != explanation.target]
        if not others:
            raise NotApplicable("the model has a single class")
        rng = np.random.default_rng(seed_of(self.seed, case.id, "random-logit"))
        other = explain(targets=np.array([rng.choice(others)]))[0]
        value = spearman(explanation.heatmap, other)
        if len(others) == 1 and classifier.exclusive and value < -0.999:
            raise NotApplicable(
                "the model has two classes that exclude each other, so this method's map of one "
                "is the negative of the other's whatever it explains"
            )
        return Measurement(value)
