"""A dataset, a model and a classifier that keep every promise, from which a test takes one away."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import softmax

from xaibench.api import Classifier, Dataset, LoadedModel, Need, Progress, Volume
from xaibench.classifiers.base import BaseClassifier
from xaibench.harness.contract.datasets import SmallDataset


class HonestClassifier(BaseClassifier):
    """Feature maps are the channels of the image; the logits are their means times a head `[channels k]`."""

    exclusive = True
    default_layer = "image"
    random_layers = ("head",)
    offers = frozenset(
        {Need.SCORES, Need.INPUT_GRADIENTS, Need.FEATURES, Need.LOGITS_FROM_FEATURES, Need.RANDOMISED}
    )

    def __init__(self, head: np.ndarray | None = None) -> None:
        self.head = np.array([[2.0, -1.0], [0.5, 3.0]]) if head is None else head
        super().__init__((6, 5, len(self.head)))

    @property
    def n_classes(self) -> int:
        return int(self.head.shape[1])

    @property
    def fingerprint(self) -> str:
        return str(self.head.tolist())

    def randomised(self, seed: int, upto: str) -> Classifier:
        return type(self)(np.random.default_rng(seed).normal(size=self.head.shape))

    def _scores(self, images: np.ndarray) -> np.ndarray:
        return softmax(HonestClassifier._logits(self, images), axis=1).astype(np.float32)

    def _logits(self, images: np.ndarray) -> np.ndarray:
        return (images.mean(axis=(1, 2)) @ self.head).astype(np.float32)

    def _input_gradients(self, images: np.ndarray, targets: np.ndarray) -> np.ndarray:
        per_pixel = self.head.T[targets][:, None, None] / (6 * 5)
        return np.broadcast_to(per_pixel, images.shape).astype(np.float32)

    def _features(self, images: np.ndarray, *, layer: str) -> np.ndarray:
        return images

    def _feature_shape(self, layer: str) -> tuple[int, ...]:
        return self.input_shape

    def _logits_from_features(self, features: np.ndarray, *, layer: str) -> np.ndarray:
        return HonestClassifier._logits(self, features)


@dataclass(frozen=True)
class HonestDataset(SmallDataset):
    """Four patients."""

    summary: ClassVar[str] = "four patients"

    def notes(self) -> list[str]:
        return ["Four patients of noise."]

    def volumes(self) -> Iterator[Volume]:
        yield from SmallDataset().volumes()


class HonestModel(LoadedModel):
    """A model of one classifier."""


@dataclass(frozen=True)
class HonestSource:
    """Brings the model."""

    summary: ClassVar[str] = "a model that keeps every promise"

    def load(self, dataset: Dataset, progress: Progress) -> LoadedModel:
        return HonestModel("honest", (HonestClassifier(),), class_names=("without", "with"))
