"""The small networks that learn on the phantom: how each is built and trained, and how good it became."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np
from jaxtyping import Int

from xaibench.api import Images, Intensity, Progress, Trainable, Volume, fit
from xaibench.models import pretext
from xaibench.models.cbam_resnet import cbam_resnet
from xaibench.models.compact_resnet import compact_resnet
from xaibench.models.compact_vit import pretrained_vit
from xaibench.models.supervised import Schedule, train


@dataclass(frozen=True)
class Network:
    """A network of two classes for grey images of one size."""

    build: Callable[[], Any]
    """Makes the Keras model with fresh weights."""
    schedule: Schedule
    starts_from: str = ""
    """Name of the shipped weights that it builds on; empty = none."""


NETWORKS = {
    "recurrence": Network(compact_resnet, Schedule()),
    "cbam-resnet": Network(cbam_resnet, Schedule()),
    "compact-vit": Network(pretrained_vit, Schedule(epochs=6, rate=1e-3), pretext.NAME),
}


class Slices(NamedTuple):
    """Slices of patients, fitted to a network's input."""

    images: Images
    labels: Int[np.ndarray, "n"]
    owners: Int[np.ndarray, "n"]
    """Number of each slice's patient."""

    @property
    def patients(self) -> int:
        """Number of patients."""
        return int(self.owners.max()) + 1


def training_slices(volumes: Iterator[Volume], shape: tuple[int, ...]) -> Slices:
    """All slices of the volumes, fitted to an input `(h, w, c)`."""
    images: list[np.ndarray] = []
    labels: list[int] = []
    owners: list[int] = []
    for number, volume in enumerate(volumes):
        images += [fit(volume, index, shape, Intensity.RAW).image for index in range(len(volume.images))]
        labels += [volume.label] * len(volume.images)
        owners += [number] * len(volume.images)
    return Slices(np.stack(images), np.array(labels), np.array(owners))


def train_network(network: Network, source: Trainable, progress: Progress) -> tuple[Any, Slices]:
    """Train a fresh network on the training patients of a source; also returns what it saw."""
    keras.utils.set_random_seed(network.schedule.seed)
    model = network.build()
    slices = training_slices(source.training_volumes(), model.input_shape[1:])
    epochs = progress.track(range(network.schedule.epochs), "training")
    train(model, slices.images, slices.labels, network.schedule, epochs)
    return model, slices


def patients_right(model: Any, slices: Slices) -> int:
    """Patients whose mean probabilities over their slices are highest for their label."""
    parts = np.array_split(slices.images, -(-len(slices.images) // 64))
    scores = np.concatenate([model.predict_on_batch(part) for part in parts])
    sums = np.zeros((slices.patients, scores.shape[1]))
    np.add.at(sums, slices.owners, scores)
    labels = np.zeros(slices.patients, int)
    labels[slices.owners] = slices.labels
    return int((sums.argmax(axis=1) == labels).sum())
