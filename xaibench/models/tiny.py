"""A tiny residual network with random weights, to check plugins on: generic in every respect."""

from dataclasses import dataclass
from typing import Any, ClassVar

from xaibench.api import Dataset, LoadedModel, Progress
from xaibench.models.resnet50 import Untrained


@dataclass(frozen=True)
class Tiny:
    """Residual network of two convolutions with random weights."""

    channels: int = 1
    seed: int = 0
    """Decides the weights."""

    summary: ClassVar[str] = "tiny network with random weights, 32 x 40 px: for `xaibench plugin check`"

    def load(self, dataset: Dataset, progress: Progress) -> LoadedModel:
        """Make the model; two classes, whatever the dataset."""
        from xaibench.classifiers.keras import KerasClassifier  # imports TensorFlow

        model = tiny_classifier(channels=self.channels, seed=self.seed)
        return Untrained("tiny", (KerasClassifier(model),), {"trained on": "nothing: random weights"})


def tiny_classifier(
    height: int = 32, width: int = 40, channels: int = 1, classes: int = 2, seed: int = 0
) -> Any:
    """Network for images `[n height width channels]`; not square, so that swapped axes show."""
    import keras

    layers = keras.layers
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((height, width, channels))
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(inputs)
    y = layers.Conv2D(8, 3, padding="same", use_bias=False)(x)
    y = layers.BatchNormalization()(y)
    x = layers.ReLU(name="block_end")(layers.Add()([x, y]))
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(classes, activation="softmax", kernel_initializer="random_normal")(x)
    return keras.Model(inputs, outputs, name="tiny")
