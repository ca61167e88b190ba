"""Training again with other seeds: how much a result hangs on the folds and on where the heads start.

The backbone stays as it is, so a training costs seconds.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from pydantic import BaseModel, ConfigDict, ValidationError

from xaibench.api import Dataset, Folds, NotApplicable, Progress, Silent, XaibenchError
from xaibench.classifiers.keras import KerasClassifier
from xaibench.models.backbones import Backbone
from xaibench.models.folds import stratified_folds
from xaibench.models.heads import HeadSchedule
from xaibench.models.learning import FrozenLearner
from xaibench.models.model_folder import SEEDS_FILE, ModelFolder
from xaibench.models.plan import Plan, description
from xaibench.models.samples import Samples
from xaibench.models.scoring import patient_scores
from xaibench.models.shuffle_test import STATISTICS, p_value, statistics_of
from xaibench.models.transfer import samples_and_backbone, shuffle

SEEDS = 10
Judge = Callable[[Folds], Mapping[str, float]]
"""Computes further figures of the fold models of one training, such as how well they know a simulated image."""


class Training(BaseModel):
    """Figures of one training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int
    permutations: int
    figures: dict[str, float]
    """`accuracy`, `balanced_accuracy` and `auc` of the held-out patients, the p-value of each as `p_accuracy` ...,
    and what a judge said."""
    judged: bool = False

    def answers(self, plan: Plan, judge: Judge | None) -> bool:
        """Whether nothing that is asked for is missing."""
        return self.permutations >= plan.permutations and (self.judged or judge is None)


class Distribution(NamedTuple):
    """A figure over the trainings."""

    values: Float64[np.ndarray, "s"]
    """In the order of the seeds."""
    median: float
    low: float
    """Lowest value; an interval of so few would claim more than it knows."""
    high: float
    """Highest value."""


class SeedStudy(BaseModel):
    """All trainings, in the order of their seeds: what seeds.json holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trainings: tuple[Training, ...] = ()

    def distribution(self, figure: str) -> Distribution:
        """Values of a figure, one a training. Raises NotApplicable where one lacks it."""
        if not all(figure in training.figures for training in self.trainings):
            raise NotApplicable(f"not every training has the figure {figure}")
        values = np.array([training.figures[figure] for training in self.trainings])
        return Distribution(values, float(np.median(values)), float(values.min()), float(values.max()))

    def first(self, plan: Plan, seeds: int) -> "SeedStudy":
        """Return the trainings of the plan's seed and the `seeds` - 1 after it, as far as they are there."""
        wanted = range(plan.seed, plan.seed + seeds)
        return SeedStudy(trainings=tuple(t for t in self.trainings if t.seed in wanted))


def dataset_over_seeds(
    dataset: Dataset,
    plan: Plan,
    folder: ModelFolder,
    progress: Progress,
    seeds: int = SEEDS,
    judge: Judge | None = None,
) -> SeedStudy:
    """Repeat the training that a folder holds; see `over_seeds`."""
    samples, backbone = samples_and_backbone(dataset, plan)
    return over_seeds(samples, backbone, plan, folder, progress, seeds, judge)


def over_seeds(
    samples: Samples,
    backbone: Backbone,
    plan: Plan,
    folder: ModelFolder,
    progress: Progress,
    seeds: int = SEEDS,
    judge: Judge | None = None,
) -> SeedStudy:
    """Train, cross-validate and shuffle with the plan's seed and those after it, one training a seed.

    Each is kept in the folder as it is done; the same call again makes those that are missing, and trains again
    for figures of a judge or permutations that a training lacks. Raises NotApplicable for fine-tuning, which takes a
    network a fold, and XaibenchError for a folder of another training.
    """
    if plan.fine_tune:
        raise NotApplicable("training over seeds needs a frozen backbone, and this one is fine-tuned")
    if seeds < 1:
        raise XaibenchError(f"{seeds} training seeds are asked for; give 1 or more.")
    folder.begin(description(samples, backbone, plan))
    study = read_study(folder)
    done = {training.seed: training for training in study.trainings}
    plans = [replace(plan, seed=seed) for seed in range(plan.seed, plan.seed + seeds)]
    missing = [each for each in plans if each.seed not in done or not done[each.seed].answers(each, judge)]
    if missing:
        repeated = Repeated(samples, backbone, folder, plan.head)
        for each in progress.track(missing, "training seeds"):
            done[each.seed] = repeated.train(each, judge)
            study = SeedStudy(trainings=tuple(done[seed] for seed in sorted(done)))
            folder.write_text(SEEDS_FILE, study.model_dump_json(indent=2) + "\n")
    return study.first(plan, seeds)


class Repeated:
    """Trainings on the same features, by one set of traced functions."""

    def __init__(self, samples: Samples, backbone: Backbone, folder: ModelFolder, head: HeadSchedule) -> None:
        self.samples, self.folder = samples, folder
        self.learner = FrozenLearner(samples, backbone, head)
        self.classifier = KerasClassifier(backbone.classifier(head.hidden))

    def train(self, plan: Plan, judge: Judge | None) -> Training:
        """Train, cross-validate and shuffle by the seed of a plan."""
        labels = self.samples.patient_labels
        folds = stratified_folds(labels, plan.folds, plan.seed, self.samples.class_names)
        learner = self.learner.with_schedule(plan.head)
        weights: list[list[np.ndarray]] = []
        outcome = learner(labels[None], folds[None], lambda _, model: weights.append(model.get_weights()))
        scores = patient_scores(outcome.probabilities, self.samples.owners, plan.patient_score)[0]
        figures = statistics_of(labels, scores)
        rows = shuffle(self.samples, learner, plan, self._permutations_file(plan.seed), Silent())
        if rows:
            figures |= {
                f"p_{name}": p_value(figures[name], [row[name] for row in rows]) for name in STATISTICS
            }
        if judge:
            classifiers = tuple(self.classifier.sibling(each) for each in weights)
            names = self.samples.names
            figures |= judge(Folds(classifiers, dict(zip(names, folds.tolist(), strict=True))))
        return Training(
            seed=plan.seed, permutations=plan.permutations, figures=figures, judged=judge is not None
        )

    def _permutations_file(self, seed: int) -> Path:
        if seed == self.folder.read("training.json")["plan"]["seed"]:
            return self.folder.permutations_file
        file = self.folder.path / "seeds" / f"permutations-{seed}.jsonl"
        file.parent.mkdir(exist_ok=True)
        return file


def read_study(folder: ModelFolder) -> SeedStudy:
    """Return what a folder holds of its trainings over seeds; empty if nothing. Raises XaibenchError if damaged."""
    file = folder.path / SEEDS_FILE
    if not file.is_file():
        return SeedStudy()
    try:
        return SeedStudy.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise XaibenchError(f"{file} cannot be read; delete it, and the trainings are repeated.") from error
