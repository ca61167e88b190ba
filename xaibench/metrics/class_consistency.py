"""Class consistency: whether the model sees a class in the image that is meant to show it."""

from dataclasses import dataclass
from typing import ClassVar

from xaibench.harness.types import Classifier, CohortExplanation, Family, Measurement, NotApplicable


@dataclass(frozen=True)
class ClassConsistency:
    """The model's probability of a class for the image simulated to show that class; high is good.

    p(class | simulated image). Range 0 .. 1. Recorded beside it: `predicted`, 1 if the class has the highest
    probability, else 0.

    An image without evidence scores about 1 / k for k classes, if the model favours none. Pitfalls: the image was
    made from the same model's feature maps, so it shows that model and explanation agree, not that either
    is right; a model that favours one class gives that class a high value for any image.
    """

    family: ClassVar = Family.COHORT
    higher_is_better: ClassVar = True
    range: ClassVar = (0.0, 1.0)
    unit: ClassVar = ""
    source: ClassVar = "Provenzano et al. 2025"

    def score_cohort(self, classifier: Classifier, label: int, explanation: CohortExplanation) -> Measurement:
        """Probability of the class; raises NotApplicable for a label that the model has no class for."""
        if label >= classifier.n_classes:
            raise NotApplicable(
                f"the model has {classifier.n_classes} classes, so none stands for label {label}"
            )
        scores = classifier.remembered_scores(explanation.image)
        return Measurement(float(scores[label]), {"predicted": float(scores.argmax() == label)})
