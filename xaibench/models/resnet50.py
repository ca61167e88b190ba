"""ResNet50 with random weights: a model of the usual size, to measure cost on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from xaibench.api import Dataset, HeldOut, LoadedModel, Match, Progress

SHAPE = (224, 224, 3)


@dataclass(frozen=True)
class Resnet50:
    """ResNet50 that was trained on nothing; its explanations mean nothing either."""

    seed: int = 0
    """Decides the weights."""

    summary: ClassVar[str] = "ResNet50 with random weights, 24 M parameters, 224 px: for cost, not accuracy"

    def load(self, dataset: Dataset, progress: Progress) -> LoadedModel:
        """Make the model; two classes, whatever the dataset."""
        import keras

        from xaibench.classifiers.keras import KerasClassifier

        keras.utils.set_random_seed(self.seed)
        facts = {"trained on": "nothing: random weights, so its explanations mean nothing either"}
        return Untrained("resnet50", (KerasClassifier(resnet50()),), facts)


class Untrained(LoadedModel):
    """A model that has seen no patient."""

    def held_out(self, matches: Mapping[str, Match]) -> tuple[HeldOut, list[str]]:
        """Every patient is held out of a training that never was."""
        return HeldOut.YES, []


def resnet50(classes: int = 2) -> Any:
    """ResNet50 (He et al. 2016, arXiv:1512.03385) for colour images `[n 224 224 3]` of any intensity scale."""
    import keras

    layers = keras.layers
    inputs = keras.Input(SHAPE)
    x = layers.LayerNormalization(axis=[1, 2, 3], center=False, scale=False, name="standardise")(inputs)
    x = keras.applications.ResNet50(weights=None, include_top=False, input_shape=SHAPE)(x)
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(classes, activation="softmax")(x)
    return keras.Model(inputs, outputs, name="resnet50")
