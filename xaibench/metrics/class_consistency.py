"""Class consistency: whether the models see a class in the image that is meant to show it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from xaibench.api import (
    Case,
    CohortExplanation,
    ExplainCohort,
    Family,
    Folds,
    Measurement,
    Need,
    seed_of,
)
from xaibench.metrics.common.patient_draws import (
    Draws,
    as_they_are,
    can_be_shuffled,
    patients_of,
    require_draws,
    resampled,
    shuffled,
)

Probabilities = Float[np.ndarray, "draws k"]
ROUNDING = 1e-6
"""An image may be given another last digit in a batch than alone; that makes no probability higher."""


@dataclass(frozen=True)
class ClassConsistency:
    """Probability of a class for the image simulated to show that class; high is good.

    With one classifier, p(class | image of all its patients). With folds, each fold's held-out patients are
    stacked and shown to that fold's model, so that no patient judges a model that saw them, and the probabilities
    are averaged, a fold by its number of patients. Range 0 .. 1. Recorded beside it:
    - `predicted`: 1 if the class has the highest mean probability, else 0.
    - `pooled`: with folds, mean over all models of p(class | image of all patients), the image that is shown. All
      but one model saw any of its patients in training, so it is no test.
    - `low`, `high`: 95 % percentile interval over `draws` cohorts of patients drawn again (Efron and
      Tibshirani 1993, ch. 13); only where the class has more than one patient. With `combine = max` a drawn cohort
      has fewer images to choose from, so the value itself may lie near an end, or outside.
    - where other classes occur beside this one, the null: labels shuffled over the patients of each fold, so that
      class sizes stay, and the images simulated from the patients given the label, each by their map for this class,
      and judged by their fold's model. `null_mean`, `null_low` and `null_high` (95 % range), `null_predicted`
      (share of the shuffles whose images are given the class), and `null_p` = (1 + shuffles with a probability at
      least as high) / (1 + draws).

    An image without evidence scores about 1 / k for k classes, if the model favours none. Pitfalls: the image was
    made from the same model's feature maps, so it shows that model and explanation agree, not that either
    is right; a model that favours one class gives that class a high value for any image. The null sees that: where
    it is as high as the value, the class of the image says nothing of the patients it was made from. With a single
    model that was trained on these patients, so was the null: it proves nothing.
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
        """Classify the simulated images, and those of patients drawn again and of shuffled labels."""
        [scores] = _probabilities(folds, as_they_are(cases, label, folds), label, explain)
        value = float(scores[label])
        details = {"predicted": float(scores.argmax() == label)} | _pooled(folds, label, explanation)
        if len(patients_of(cases, label)) > 1:
            draws = resampled(cases, label, folds, self.draws, self._seed(label, "resampled"))
            details |= _interval(_probabilities(folds, draws, label, explain)[:, label])
        if can_be_shuffled(cases, label, folds):
            draws = shuffled(cases, label, folds, self.draws, self._seed(label, "shuffled"))
            details |= _null(_probabilities(folds, draws, label, explain), label, value)
        return Measurement(value, details)

    def _seed(self, label: int, purpose: str) -> int:
        return seed_of(self.seed, label, "class-consistency", purpose)


def _probabilities(folds: Folds, draws: Draws, label: int, explain: ExplainCohort) -> Probabilities:
    """Class probabilities of each draw: its cohorts' images, each judged by its own classifier."""
    one_image = np.dtype((np.float32, draws.cohorts[0][0].image.shape))
    # np.stack would hold every image twice.
    images = np.fromiter(draws.images(label, explain), one_image, len(draws.cohorts))
    scores = np.zeros((len(images), folds.classifiers[0].n_classes))
    for number, classifier in enumerate(folds.classifiers):
        own = np.flatnonzero(np.array(draws.classifier_of) == number)
        if own.size:
            scores[own] = classifier.scores(images[own])
    return np.asarray((draws.shares[..., None] * scores[draws.which]).sum(axis=1))


def _pooled(folds: Folds, label: int, explanation: CohortExplanation) -> dict[str, float]:
    if len(folds.classifiers) == 1:
        return {}
    scores = [classifier.remembered_scores(explanation.image)[label] for classifier in folds.classifiers]
    return {"pooled": float(np.mean(scores))}


def _interval(values: np.ndarray) -> dict[str, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return {"low": float(low), "high": float(high)}


def _null(scores: Probabilities, label: int, value: float) -> dict[str, float]:
    """Figures of the null, from the class probabilities of the shuffles."""
    values = scores[:, label]
    at_least_as_high = int((values >= value - ROUNDING).sum())
    figures = {
        "mean": float(values.mean()),
        **_interval(values),
        "predicted": float((scores.argmax(axis=1) == label).mean()),
        "p": (1 + at_least_as_high) / (1 + len(values)),
    }
    return {f"null_{name}": figure for name, figure in figures.items()}
