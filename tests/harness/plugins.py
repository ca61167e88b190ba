"""Explainers and metrics that behave and misbehave in known ways."""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from xaibench.api import CohortExplanation, Family, Measurement, Need


@dataclass(frozen=True)
class Brightness:
    """The channel mean: behaves in every respect."""

    family: ClassVar = "test"
    needs: ClassVar = frozenset({Need.SCORES})
    source: ClassVar = "nobody"

    def __call__(self, classifier: Any, images: np.ndarray, targets: np.ndarray) -> np.ndarray:
        classifier.scores(images)
        return images.mean(axis=-1)


@dataclass(frozen=True)
class Drawn(Brightness):
    """A random map from its seed."""

    seed: int = 0

    def __call__(self, classifier: Any, images: np.ndarray, targets: np.ndarray) -> np.ndarray:
        draw = np.random.default_rng(self.seed).random(images.shape[1:3], dtype=np.float32)
        return np.repeat(draw[None], len(images), axis=0)


@dataclass(frozen=True)
class Misbehaves(Brightness):
    """Does what it is told to."""

    how: str = "raises"

    def __call__(self, classifier: Any, images: np.ndarray, targets: np.ndarray) -> np.ndarray:
        maps = images.mean(axis=-1)
        if self.how == "raises":
            raise RuntimeError("no idea")
        if self.how == "hangs":
            self.hang()
        answers = {"nan": maps * np.nan, "shape": maps[:, :3], "float64": maps.astype(np.float64)}
        return answers.get(self.how, maps)

    def hang(self) -> None:
        """Swallow every Exception, as careless plugins do."""
        while True:
            try:
                time.sleep(0.01)
            except Exception:  # the point of the test
                continue


@dataclass(frozen=True)
class Counted(Brightness):
    """Writes down every call in a file, across processes."""

    file: str = ""

    def __call__(self, classifier: Any, images: np.ndarray, targets: np.ndarray) -> np.ndarray:
        with Path(self.file).open("a") as file:
            file.write("x")
        return images.mean(axis=-1)


@dataclass(frozen=True)
class Needy(Brightness):
    """Needs what no model here offers."""

    needs: ClassVar = frozenset({Need.FEATURES})


@dataclass(frozen=True)
class Stacked(Brightness):
    """Explains a cohort too."""

    def explain_cohort(self, cases: list[Any], maps: np.ndarray) -> dict[int, CohortExplanation]:
        return {
            case.label: CohortExplanation(case.image, heatmap, np.zeros(heatmap.shape, int))
            for case, heatmap in zip(cases, maps, strict=True)
        }


@dataclass(frozen=True)
class OwnScore(Stacked):
    """The target's probability everywhere; notes the image and the target of every call in a file."""

    file: str = ""

    def __call__(self, classifier: Any, images: np.ndarray, targets: np.ndarray) -> np.ndarray:
        with Path(self.file).open("a") as file:
            file.writelines(
                f"{image.sum():.6f} {target}\n" for image, target in zip(images, targets, strict=True)
            )
        scores = np.take_along_axis(classifier.scores(images), targets[:, None], axis=1)
        return np.broadcast_to(scores[:, :, None], images.shape[:3])


@dataclass(frozen=True)
class Mean:
    """Mean of the heatmap."""

    family: ClassVar = Family.COMPLEXITY
    higher_is_better: ClassVar = True
    range: ClassVar = (-np.inf, np.inf)
    unit: ClassVar = ""
    source: ClassVar = "nobody"
    needs_mask: ClassVar = False

    def __call__(self, classifier: Any, case: Any, explanation: Any, explain: Any) -> Measurement:
        return Measurement(float(explanation.heatmap.mean()), {"half": float(explanation.heatmap.mean() / 2)})


@dataclass(frozen=True)
class Again(Mean):
    """Difference between the heatmap and that of the same image explained again."""

    def __call__(self, classifier: Any, case: Any, explanation: Any, explain: Any) -> Measurement:
        return Measurement(float(np.abs(explain(case.image[None])[0] - explanation.heatmap).max()))


@dataclass(frozen=True)
class TargetScore(Mean):
    """Probability of the explained class, by the classifier that the metric is given."""

    def __call__(self, classifier: Any, case: Any, explanation: Any, explain: Any) -> Measurement:
        return Measurement(float(classifier.scores(case.image)[explanation.target]))


@dataclass(frozen=True)
class Bad(Mean):
    """Raises or gives NaN."""

    how: str = "raises"

    def __call__(self, classifier: Any, case: Any, explanation: Any, explain: Any) -> Measurement:
        if self.how == "raises":
            raise ZeroDivisionError("division by zero")
        return Measurement(float("nan"))


@dataclass(frozen=True)
class ImagesASecond:
    """A constant over the cohort."""

    family: ClassVar = Family.COST
    higher_is_better: ClassVar = True
    range: ClassVar = (0.0, np.inf)
    unit: ClassVar = "images/s"
    source: ClassVar = "nobody"

    def score_batch(self, cases: list[Any], explain: Any) -> Measurement:
        return Measurement(float(len(explain(cases))))


@dataclass(frozen=True)
class ClassMean:
    """Mean of the simulated image."""

    family: ClassVar = Family.COHORT
    higher_is_better: ClassVar = True
    range: ClassVar = (0.0, 1.0)
    unit: ClassVar = ""
    source: ClassVar = "nobody"

    def score_cohort(
        self, classifiers: Any, cases: list[Any], label: int, explanation: CohortExplanation, explain: Any
    ) -> Measurement:
        return Measurement(float(explanation.image.mean()))


@dataclass(frozen=True)
class Redealt(ClassMean):
    """Mean of the stacked map when every case is dealt the label, and the number of classifiers."""

    def score_cohort(
        self, classifiers: Any, cases: list[Any], label: int, explanation: CohortExplanation, explain: Any
    ) -> Measurement:
        dealt = [replace(case, label=label) for case in cases]
        return Measurement(float(explain(dealt)[label].map.mean()), {"classifiers": float(len(classifiers))})
