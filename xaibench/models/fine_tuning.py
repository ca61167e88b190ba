"""Fine-tuning of the last blocks: the slow way, a network a fold and a labelling.

The head is trained first on the frozen features, as without fine-tuning, and the blocks then follow at a
small rate (Kumar et al. 2022, arXiv:2202.10054). Batch normalisation stays frozen: batches are small.
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from xaibench.api import XaibenchError
from xaibench.models.backbones import Backbone, set_head
from xaibench.models.heads import HeadSchedule
from xaibench.models.learning import FrozenLearner, Keep, Labellings, Outcome, curve, training_weights
from xaibench.models.samples import Samples


@dataclass(frozen=True)
class TuningSchedule:
    """How unfrozen blocks are trained: Adam at a constant rate."""

    epochs: int = 8
    batch: int = 32
    rate: float = 1e-4
    seed: int = 0


class TuningLearner:
    """The head and the last blocks learn; what the frozen blocks make of the images is computed once."""

    together = 1

    def __init__(
        self, samples: Samples, backbone: Backbone, head: HeadSchedule, blocks: int, schedule: TuningSchedule
    ) -> None:
        if not 0 < blocks < len(backbone.ends):
            raise XaibenchError(
                f"--fine-tune is {blocks}, but the backbone has {len(backbone.ends)} blocks; "
                f"give 1 to {len(backbone.ends) - 1}."
            )
        self.samples, self.schedule = samples, schedule
        self.frozen = FrozenLearner(samples, backbone, head)
        cut = backbone.ends[-blocks - 1]
        self.maps = backbone.maps(samples.images, cut)
        self.whole = backbone.classifier(head.hidden)
        self.tail = keras.Model(self.whole.get_layer(cut).output, self.whole.output)
        for layer in self.tail.layers:
            layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
        self.optimizer = keras.optimizers.Adam(schedule.rate)
        self.optimizer.build(self.tail.trainable_variables)
        self.tail.compile(self.optimizer, keras.losses.SparseCategoricalCrossentropy())
        self.start = self.tail.get_weights(), [v.numpy() for v in self.optimizer.variables]

    def __call__(self, labels: Labellings, folds: Labellings, keep: Keep | None = None) -> Outcome:
        """Train a network for each labelling and fold, one after the other."""
        heads = self.frozen.heads(labels, folds)
        weights = training_weights(labels, folds, self.samples.owners)
        count = int(folds.max()) + 1
        probabilities = np.zeros((len(labels), len(self.samples.owners)), np.float32)
        curves = []
        for number, head in enumerate(heads.weights):
            row, fold = divmod(number, count)
            losses = self._tune(head, labels[row, self.samples.owners], weights[number])
            out = folds[row, self.samples.owners] == fold
            probabilities[row, out] = self._predict(self.maps[out])
            if row == 0:
                curves.append(curve(losses))
            if row == 0 and keep:
                keep(fold, self.whole)
        self._restore()
        return Outcome(probabilities, curves)

    def _restore(self) -> None:
        weights, states = self.start
        self.tail.set_weights(weights)
        for variable, state in zip(self.optimizer.variables, states, strict=True):
            variable.assign(state)

    def _tune(self, head: list[np.ndarray], labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
        self._restore()
        set_head(self.whole, head)
        used, out = np.flatnonzero(weights), np.flatnonzero(weights == 0)
        rng = np.random.default_rng(self.schedule.seed)
        losses = [self._losses(labels, weights, out)]
        for _epoch in range(self.schedule.epochs):
            order = rng.permutation(used)
            for start in range(0, len(order), self.schedule.batch):
                rows = order[start : start + self.schedule.batch]
                scaled = (weights[rows] * len(used)).astype(np.float32)
                self.tail.train_on_batch(self.maps[rows], labels[rows], sample_weight=scaled)
            losses.append(self._losses(labels, weights, out))
        return np.array(losses)

    def _losses(self, labels: np.ndarray, weights: np.ndarray, out: np.ndarray) -> list[float]:
        chance = np.clip(self._predict(self.maps), 1e-7, 1 - 1e-7).astype(np.float64)
        entropy = -np.log(np.where(labels == 1, chance, 1 - chance))
        return [float(entropy @ weights), float(entropy[out].mean())]

    def _predict(self, maps: np.ndarray) -> np.ndarray:
        parts: list[Any] = [
            self.tail.predict_on_batch(maps[start : start + 64]) for start in range(0, len(maps), 64)
        ]
        return np.asarray(np.concatenate(parts)[:, 1])
