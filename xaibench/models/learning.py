"""Cross-validation of a classifier under any labels: what the true run and every permutation go through."""

from collections.abc import Callable
from copy import copy
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Float64, Int

from xaibench.models.backbones import Backbone, set_head
from xaibench.models.folds import balanced_weights
from xaibench.models.heads import Heads, HeadSchedule, train_heads
from xaibench.models.samples import Samples

Keep = Callable[[int, Any], None]
"""Takes the number of a fold and its trained Keras classifier."""
Labellings = Int[np.ndarray, "b p"]
"""Labels, or folds, of the patients: a row a labelling."""


class Outcome(NamedTuple):
    """What cross-validation gives for each labelling."""

    probabilities: Float32[np.ndarray, "b n"]
    """Of class 1, for each slice by the fold model that never saw its patient."""
    curves: list[dict[str, list[float]]]
    """For each fold of the first labelling, cross-entropy by step or epoch: `training` and `held_out`."""


@runtime_checkable
class Learner(Protocol):
    """Trains a model a fold and a labelling, on the training patients of that fold only."""

    together: int
    """Labellings to give at a time: few where each takes long, so that a kill loses little."""

    def __call__(self, labels: Labellings, folds: Labellings, keep: Keep | None = None) -> Outcome:
        """Cross-validate each labelling with its folds; `keep` gets the fold models of the first."""
        ...


class FrozenLearner:
    """Only the head learns: features are computed once, and the heads of all folds and labellings together."""

    together = 20

    def __init__(self, samples: Samples, backbone: Backbone, schedule: HeadSchedule) -> None:
        self.samples, self.backbone, self.schedule = samples, backbone, schedule
        self.features: Float32[np.ndarray, "n d"] = backbone.pooled(samples.images)

    def with_schedule(self, schedule: HeadSchedule) -> "FrozenLearner":
        """Return a learner of the same features and another schedule."""
        other = copy(self)
        other.schedule = schedule
        return other

    def __call__(self, labels: Labellings, folds: Labellings, keep: Keep | None = None) -> Outcome:
        """Train heads x folds in one loop."""
        heads = self.heads(labels, folds)
        count = int(folds.max()) + 1
        if keep:
            for fold in range(count):
                classifier = self.backbone.classifier(self.schedule.hidden)
                set_head(classifier, heads.weights[fold])
                keep(fold, classifier)
        by_head = heads.probabilities.T.reshape(len(labels), count, -1)  # [b folds n]
        slice_folds = folds[:, self.samples.owners]
        probabilities = np.take_along_axis(by_head, slice_folds[:, None], axis=1)[:, 0]
        return Outcome(probabilities, [curve(heads.losses[:, :, fold]) for fold in range(count)])

    def heads(self, labels: Labellings, folds: Labellings) -> Heads:
        """Heads of each labelling and fold: number labelling * folds + fold."""
        count = int(folds.max()) + 1
        weights = training_weights(labels, folds, self.samples.owners)
        repeated = labels.repeat(count, axis=0)[:, self.samples.owners]
        return train_heads(self.features, repeated.T, weights.T, self.schedule)


def training_weights(
    labels: Labellings, folds: Labellings, owners: Int[np.ndarray, "n"]
) -> Float64[np.ndarray, "heads n"]:
    """Weight of each slice in the training of each labelling's fold models; 0 for held-out patients."""
    return np.stack(
        [
            balanced_weights(row, row_folds != fold, owners)
            for row, row_folds in zip(labels, folds, strict=True)
            for fold in range(int(folds.max()) + 1)
        ]
    )


def curve(losses: np.ndarray) -> dict[str, list[float]]:
    """Training curve of one model from its losses `[steps 2]`, for JSON."""
    training, held_out = losses.T.astype(float).round(5).tolist()
    return {"training": training, "held_out": held_out}
