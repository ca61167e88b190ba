"""Small samples and a tiny backbone with random weights, for quick tests of training."""

from collections.abc import Iterator
from typing import ClassVar

import keras
import numpy as np

from xaibench.api import Identity, Volume
from xaibench.models.backbones import Backbone
from xaibench.models.samples import Samples

SIZE = 16


def made_samples(negative: int = 14, positive: int = 7, slices: int = 3, signal: float = 4.0) -> Samples:
    """Noise, with a bright square in the slices of the positive patients; patients in mixed order."""
    rng = np.random.default_rng(0)
    labels = rng.permutation([0] * negative + [1] * positive).repeat(slices)
    patients = tuple(f"P{1 + index // slices:03d}" for index in range(len(labels)))
    images = rng.normal(size=(len(labels), SIZE, SIZE, 1)).astype(np.float32)
    images[labels == 1, 4:10, 4:10] += signal
    identities = {name: Identity(f"id-{name}") for name in patients}
    hashes = {name: f"image-{name}" for name in patients}
    return Samples(images, labels, patients, ("fine", "ill"), identities, hashes)


def tiny_backbone(seed: int = 0) -> Backbone:
    """Three small blocks with batch normalisation; random weights."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((SIZE, SIZE, 1))
    x = inputs
    for number, stride in enumerate((2, 1, 1), start=1):
        x = keras.layers.Conv2D(8, 3, strides=stride, padding="same")(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.ReLU(name=f"block{number}")(x)
    return Backbone(keras.Model(inputs, x), ("block1", "block2", "block3"), "random")


class MadeUpCohort:
    """Twelve patients with identifiers; those of odd number have a bright square in each slice."""

    class_names: ClassVar[tuple[str, ...]] = ("fine", "ill")
    summary: ClassVar[str] = "made up"

    def volumes(self) -> Iterator[Volume]:
        rng = np.random.default_rng(0)
        for number in range(12):
            images = rng.normal(size=(3, SIZE, SIZE, 1)).astype(np.float32)
            images[:, 4:10, 4:10] += 4 * (number % 2)
            identity = Identity(f"id-{number}", f"study-{number}")
            yield Volume(f"P{number:02d}", (number % 2,), images, None, (1.0, 1.0), identity=identity)

    def notes(self) -> list[str]:
        return []
