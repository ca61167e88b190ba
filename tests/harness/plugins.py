"""Explainers and metrics that behave and misbehave in known ways."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from xaibench.api import (
    Background,
    Batch,
    Case,
    Classifier,
    CohortExplanation,
    Detailed,
    ExplainCohort,
    Explanation,
    Family,
    Folds,
    Measurement,
    Need,
    NotApplicable,
)

CALLS = "XAIBENCH_TEST_CALLS"
"""Environment variable that names the file in which plugins of this kind note what they are asked."""


def note_calls(batch: Batch) -> None:
    """Write down image and target of each explanation, if the test wants to know."""
    if CALLS in os.environ:
        with Path(os.environ[CALLS]).open("a") as file:
            file.writelines(f"{one.image.sum():.6f} {one.target}\n" for one in batch)


@dataclass(frozen=True)
class Brightness:
    """The channel mean: behaves in every respect, and asks the model once an image."""

    family: ClassVar[str] = "test"
    needs: ClassVar[frozenset[Need]] = frozenset({Need.SCORES})
    source: ClassVar[str] = "nobody"

    def __call__(self, classifier: Classifier, batch: Batch) -> Any:
        note_calls(batch)
        classifier.scores(batch.images)
        return batch.images.mean(axis=-1)


@dataclass(frozen=True)
class Scaled(Brightness):
    """The channel mean times a parameter."""

    factor: float = 1.0

    def __call__(self, classifier: Classifier, batch: Batch) -> Any:
        return Brightness.__call__(self, classifier, batch) * np.float32(self.factor)


@dataclass(frozen=True)
class Drawn(Brightness):
    """A random map from each image's seed."""

    deterministic: ClassVar[bool] = False

    def __call__(self, classifier: Classifier, batch: Batch) -> Any:
        draws = [np.random.default_rng(one.seed).random(batch.space, dtype=np.float32) for one in batch]
        return np.stack(draws)


@dataclass(frozen=True)
class OwnScore(Brightness):
    """The target's probability everywhere."""

    def __call__(self, classifier: Classifier, batch: Batch) -> Any:
        note_calls(batch)
        scores = np.take_along_axis(classifier.scores(batch.images), batch.targets[:, None], axis=1)
        return np.broadcast_to(scores[:, :, None], batch.images.shape[:3])


@dataclass(frozen=True)
class Misbehaves(Brightness):
    """Does what it is told to."""

    how: str = "raises"

    def __call__(self, classifier: Classifier, batch: Batch) -> Any:
        maps = batch.images.mean(axis=-1)
        actions = {
            "raises": self.fail,
            "exits": exit,
            "hangs": self.hang,
            "spoils": lambda: spoil(batch.images),
        }
        if self.how in actions:
            actions[self.how]()
        answers = {
            "nan": maps * np.nan,
            "shape": maps[:, :3],
            "float64": maps.astype(np.float64),
            "complex": maps.astype(complex),
            "list": [[1.0]],
            "nothing": None,
        }
        return answers.get(self.how, maps)

    def fail(self) -> None:
        raise RuntimeError("no idea")

    def hang(self) -> None:
        """Swallow every Exception, as careless plugins do."""
        while True:
            try:
                time.sleep(0.01)
            except Exception:  # the point of the test
                continue


def spoil(array: np.ndarray) -> None:
    """Change an array that belongs to somebody else."""
    array[...] = 1


@dataclass(frozen=True)
class NeedsFeatures(Brightness):
    """Needs what a Python function does not offer."""

    needs: ClassVar[frozenset[Need]] = frozenset({Need.FEATURES})


@dataclass(frozen=True)
class Annotation(Brightness):
    """The annotated region itself."""

    needs: ClassVar[frozenset[Need]] = frozenset({Need.REGION})

    def __call__(self, classifier: Classifier, batch: Batch) -> Any:
        assert batch.regions is not None
        return batch.regions.astype(np.float32)


@dataclass(frozen=True)
class ForVolumes(Brightness):
    """Explains volumes, no slices."""

    dimensions: ClassVar[frozenset[int]] = frozenset({3})


@dataclass(frozen=True)
class WithDetails(Brightness):
    """Records the mean of each image beside its map."""

    def __call__(self, classifier: Classifier, batch: Batch) -> Any:
        return Detailed(batch.images.mean(axis=-1), tuple({"mean": float(one.image.mean())} for one in batch))


@dataclass(frozen=True)
class Promises(Brightness):
    """Promises that its map sums to the sum of the image's channel means."""

    def promised_total(self, classifier: Classifier, batch: Batch) -> np.ndarray:
        return batch.images.mean(axis=-1).sum(axis=(1, 2))


@dataclass(frozen=True)
class Learns(Brightness):
    """The distance from the mean training image, which it learns; notes whose images it was given."""

    needs: ClassVar[frozenset[Need]] = frozenset({Need.TRAINING})
    how: str = "learns"

    def fit(self, classifier: Classifier, background: Background, seed: int) -> Mapping[str, np.ndarray]:
        with Path(os.environ[CALLS]).open("a") as file:
            file.write(f"fit {' '.join(sorted(set(background.patients)))} {seed}\n")
        if self.how != "learns":
            raise ValueError("nothing to be learnt")
        return {"mean": background.images.mean(axis=0)}

    def __call__(self, classifier: Classifier, batch: Batch) -> Any:
        return np.abs(batch.images - batch.fitted["mean"]).mean(axis=-1)


@dataclass(frozen=True)
class Stacked(OwnScore):
    """Explains a cohort too: by the first case of each label."""

    def explain_cohort(self, cases: list[Case], maps: np.ndarray) -> dict[int, CohortExplanation]:
        labels = [case.label for case in cases]
        first = {label: labels.index(label) for label in labels}
        return {
            label: CohortExplanation(cases[row].image, maps[row], np.full(maps[row].shape, row))
            for label, row in first.items()
        }


# ---------------------------------------------------------------- metrics


@dataclass(frozen=True)
class Mean:
    """Mean of the heatmap."""

    family: ClassVar[Family] = Family.COMPLEXITY
    higher_is_better: ClassVar[bool] = True
    range: ClassVar[tuple[float, float]] = (-np.inf, np.inf)
    source: ClassVar[str] = "nobody"
    chance: ClassVar[str] = "0"

    def __call__(self, classifier: Any, case: Any, explanation: Explanation, explain: Any) -> Measurement:
        mean = float(explanation.heatmap.mean())
        return Measurement(mean, {"half": mean / 2})


@dataclass(frozen=True)
class Times(Mean):
    """Mean of the heatmap times a parameter."""

    factor: float = 2.0

    def __call__(self, classifier: Any, case: Any, explanation: Explanation, explain: Any) -> Measurement:
        return Measurement(self.factor * float(explanation.heatmap.mean()))


@dataclass(frozen=True)
class Again(Mean):
    """Largest difference between the heatmap and that of the same image explained again."""

    needs: ClassVar[frozenset[Need]] = frozenset({Need.EXPLAIN})

    def __call__(self, classifier: Any, case: Any, explanation: Explanation, explain: Any) -> Measurement:
        return Measurement(float(np.abs(explain(case.image[None])[0] - explanation.heatmap).max()))


@dataclass(frozen=True)
class TargetScore(Mean):
    """Probability of the explained class, by the classifier that the metric is given."""

    def __call__(self, classifier: Any, case: Any, explanation: Explanation, explain: Any) -> Measurement:
        return Measurement(float(classifier.scores(case.image)[explanation.target]))


@dataclass(frozen=True)
class Seeded(Mean):
    """Its seed, which is the run's."""

    seed: int = 0

    def __call__(self, classifier: Any, case: Any, explanation: Explanation, explain: Any) -> Measurement:
        return Measurement(float(self.seed))


@dataclass(frozen=True)
class BadMetric(Mean):
    """Does what it is told to."""

    how: str = "raises"

    def __call__(self, classifier: Any, case: Any, explanation: Explanation, explain: Any) -> Any:
        if self.how == "raises":
            raise ZeroDivisionError("division by zero")
        if self.how == "has no meaning":
            raise NotApplicable("the case is too small")
        arrays = {"map": explanation.heatmap, "image": case.image, "region": case.region}
        if self.how.startswith("spoils"):
            spoil(arrays[self.how.removeprefix("spoils the ")])
        answers: dict[str, Any] = {
            "nan": Measurement(float("nan")),
            "nan in details": Measurement(1.0, {"share": float("inf")}),
            "number": 0.5,
            "nothing": None,
        }
        return answers.get(self.how, Measurement(1.0))


@dataclass(frozen=True)
class Together:
    """Number of maps that come back for a batch of cases, and the first value of each."""

    family: ClassVar[Family] = Family.COST
    higher_is_better: ClassVar[bool] = True
    range: ClassVar[tuple[float, float]] = (0.0, np.inf)
    source: ClassVar[str] = "nobody"
    chance: ClassVar[str] = "0"
    needs: ClassVar[frozenset[Need]] = frozenset({Need.TIMING})
    unit: ClassVar[str] = "maps"

    def score_batch(self, cases: list[Case], explain: Any) -> Measurement:
        maps = explain(cases)
        details = {case.id: float(heatmap[0, 0]) for case, heatmap in zip(cases, maps, strict=True)}
        return Measurement(float(len(maps)), details)


@dataclass(frozen=True)
class ClassMean:
    """Mean of the stacked map."""

    family: ClassVar[Family] = Family.COHORT
    higher_is_better: ClassVar[bool] = True
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    source: ClassVar[str] = "nobody"
    chance: ClassVar[str] = "0"

    def score_cohort(
        self,
        folds: Folds,
        cases: list[Case],
        label: int,
        explanation: CohortExplanation,
        explain: ExplainCohort,
    ) -> Measurement:
        return Measurement(float(explanation.map.mean()))


@dataclass(frozen=True)
class Relabelled(ClassMean):
    """Mean of the stacked map when every case is given the label, and the number of classifiers."""

    def score_cohort(
        self,
        folds: Folds,
        cases: list[Case],
        label: int,
        explanation: CohortExplanation,
        explain: ExplainCohort,
    ) -> Measurement:
        changed = [replace(case, labels=(label,)) for case in cases]
        mean = float(explain(changed)[label].map.mean())
        return Measurement(mean, {"classifiers": float(len(folds.classifiers))})
