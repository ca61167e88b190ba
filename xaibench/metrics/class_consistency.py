"""Class consistency: whether the models see a class in the image that is meant to show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from xaibench.api import (
    Case,
    Classifier,
    CohortExplanation,
    ExplainCohort,
    Family,
    Folds,
    Measurement,
    Need,
    Scores,
    seed_of,
)
from xaibench.metrics.common.patient_draws import Draws, patients_of, require_draws, resampled, shuffled

ROUNDING = 1e-6
"""An image may be given another last digit in a batch than alone; that makes no probability higher."""


@dataclass(frozen=True)
class ClassConsistency:
    """Probability of a class for the image simulated to show that class; high is good.

    Mean over the classifiers (with folds, all fold models) of p(class | simulated image). Range 0 .. 1. Recorded
    beside it:
    - `predicted`: 1 if the class has the highest mean probability, else 0.
    - `low`, `high`: 95 % percentile interval over `draws` simulated images of patients drawn again (Efron and
      Tibshirani 1993, ch. 13); only where the class has more than one patient. With `combine = max` a drawn cohort
      has fewer images to choose from, so the value itself may lie near an end, or outside.
    - where other classes occur, the null: labels shuffled over the patients (class sizes kept), the image of this
      class simulated from the patients given to it, each by their map for this class. `null_mean`,
      `null_low` and `null_high` (95 % range), `null_predicted` (share of the shuffles whose image is given the
      class), and `null_p` = (1 + shuffles with a probability at least as high) / (1 + draws).

    An image without evidence scores about 1 / k for k classes, if the model favours none. Pitfalls: the image was
    made from the same models' feature maps, so it shows that model and explanation agree, not that either
    is right; a model that favours one class gives that class a high value for any image. The null sees that: where
    it is as high as the value, the class of the image says nothing of the patients it was made from.
    """

    draws: int = 100
    """Cohorts of patients drawn again, and as many shuffles of the labels."""
    seed: int = 0

    family: ClassVar = Family.COHORT
    higher_is_better: ClassVar = True
    range: ClassVar = (0.0, 1.0)
    source: ClassVar = "Provenzano et al. 2025"
    chance: ClassVar = "null_mean: images of patients with shuffled labels"
    needs: ClassVar = frozenset({Need.SCORES})
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"smoke": {"draws": 20}, "paper": {"draws": 1000}}

    def __post_init__(self) -> None:
        require_draws("class-consistency", self.draws)

    def score_cohort(
        self,
        folds: Folds,
        cases: list[Case],
        label: int,
        explanation: CohortExplanation,
        explain: ExplainCohort,
    ) -> Measurement:
        """Classify the simulated image, and those of patients drawn again and of shuffled labels in a batch each."""
        scores = np.mean(
            [member.remembered_scores(explanation.image) for member in folds.classifiers], axis=0
        )
        value = float(scores[label])
        details = {"predicted": float(scores.argmax() == label)}
        if len(patients_of(cases, label)) > 1:
            draws = resampled(cases, label, self.draws, self._seed(label, "resampled"))
            details |= _interval(_scores(folds.classifiers, draws, label, explain)[:, label])
        if any(case.label != label for case in cases):
            draws = shuffled(cases, label, self.draws, self._seed(label, "shuffled"))
            details |= _null(_scores(folds.classifiers, draws, label, explain), label, value)
        return Measurement(value, details)

    def _seed(self, label: int, purpose: str) -> int:
        return seed_of(self.seed, label, "class-consistency", purpose)


def _scores(classifiers: Sequence[Classifier], draws: Draws, label: int, explain: ExplainCohort) -> Scores:
    """Mean class probabilities of each draw's simulated image, `[draws k]`."""
    one_image = np.dtype((np.float32, draws.cohorts[0][0].image.shape))
    # np.stack would hold every image twice.
    images = np.fromiter(draws.images(label, explain), one_image, len(draws.cohorts))
    scores: Scores = np.mean([member.scores(images) for member in classifiers], axis=0)[draws.which]
    return scores


def _interval(values: np.ndarray) -> dict[str, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return {"low": float(low), "high": float(high)}


def _null(scores: Scores, label: int, value: float) -> dict[str, float]:
    """Figures of the null, from the class probabilities of the shuffles' images."""
    values = scores[:, label]
    at_least_as_high = int((values >= value - ROUNDING).sum())
    figures = {
        "mean": float(values.mean()),
        **_interval(values),
        "predicted": float((scores.argmax(axis=1) == label).mean()),
        "p": (1 + at_least_as_high) / (1 + len(values)),
    }
    return {f"null_{name}": figure for name, figure in figures.items()}
