"""Keras classifiers as strangers write them, what they mean, and how they must be read.

`python -m tests.classifiers.foreign_models` prints the table in Markdown.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

LAYERS, ops = keras.layers, keras.ops
SIZE = (6, 6, 1)
Formula = Callable[[np.ndarray], np.ndarray]


def softmax(z: np.ndarray) -> np.ndarray:
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def two(p: np.ndarray) -> np.ndarray:
    return np.concatenate([1 - p, p], axis=1)


@dataclass(frozen=True)
class Foreign:
    """A model that ends in `end(z)`, z = [n units] weighted sums of its pixels."""

    name: str
    units: int
    end: Callable[[Any], Any]
    scores: Formula | None = None
    """Scores of z; None if the model must be refused."""
    says: str = ""
    """What the sentence for the reader must match; empty where there is nothing to say."""
    exclusive: bool = True


READ = [
    Foreign("softmax layer", 3, LAYERS.Softmax(), softmax),
    Foreign("softmax activation layer", 3, LAYERS.Activation("softmax"), softmax),
    Foreign("operation softmax", 3, ops.softmax, softmax),
    Foreign("activations.softmax", 3, keras.activations.softmax, softmax),
    Foreign("Dense(3, softmax)", 2, LAYERS.Dense(3, activation="softmax", use_bias=False, kernel_initializer="ones"),
            lambda z: softmax(np.repeat(z.sum(axis=1, keepdims=True), 3, axis=1))),
    Foreign("softmax, then Identity", 3, lambda z: LAYERS.Identity()(ops.softmax(z)), softmax),
    Foreign("softmax, then Reshape", 3,
            lambda z: LAYERS.Reshape((3,))(LAYERS.Softmax()(LAYERS.Reshape((1, 1, 3))(z))), softmax),
    Foreign("softmax, then Dropout", 3, lambda z: LAYERS.Dropout(0.5)(LAYERS.Softmax()(z)), softmax),
    Foreign("softmax, then Activation linear", 3, lambda z: LAYERS.Activation("linear")(ops.softmax(z)), softmax),
    Foreign("softmax of axis 1", 3, LAYERS.Softmax(axis=1), softmax),
    Foreign("temperature 4, then softmax", 3, lambda z: ops.softmax(z / 4), lambda z: softmax(z / 4)),
    Foreign("log-softmax", 3, ops.log_softmax, softmax, "log-probabilities"),
    Foreign("log of a softmax", 3, lambda z: ops.log(ops.softmax(z)), softmax, "log-probabilities"),
    Foreign("Dense(1, sigmoid)", 1, LAYERS.Activation("sigmoid"), lambda z: two(sigmoid(z))),
    Foreign("sigmoid, squeezed", 1, lambda z: ops.squeeze(ops.sigmoid(z), axis=-1), lambda z: two(sigmoid(z))),
    Foreign("Dense(2, sigmoid)", 2, LAYERS.Activation("sigmoid"), sigmoid, "do not exclude", False),
    Foreign("no softmax: linear, 3 units", 3, LAYERS.Identity(), softmax, "taken as logits"),
    Foreign("average of two linear heads", 3, lambda z: LAYERS.Average()([z, 3 * z]),
            lambda z: softmax(2 * z), "taken as logits"),
]  # fmt: skip
READ_BACK = [
    Foreign("average of two softmaxes", 3, lambda z: LAYERS.Average()([ops.softmax(z), ops.softmax(-z)]),
            lambda z: (softmax(z) + softmax(-z)) / 2, r"read back .*log p"),
    Foreign("mean of stacked softmaxes", 3, lambda z: ops.mean(ops.stack([ops.softmax(z), ops.softmax(-z)]), axis=0),
            lambda z: (softmax(z) + softmax(-z)) / 2, r"read back .*log p"),
    Foreign("Concatenate([1 - p, p])", 1, lambda z: LAYERS.Concatenate()([1 - ops.sigmoid(z), ops.sigmoid(z)]),
            lambda z: two(sigmoid(z)), r"read back .*log p"),
    Foreign("exp(z) / sum", 3, lambda z: ops.exp(z) / ops.sum(ops.exp(z), axis=-1, keepdims=True),
            softmax, r"read back .*log p"),
    Foreign("average of sigmoids, 2 units", 2, lambda z: LAYERS.Average()([ops.sigmoid(z), ops.sigmoid(2 * z)]),
            lambda z: (sigmoid(z) + sigmoid(2 * z)) / 2, "log-odds", False),
    Foreign("average of sigmoids, 1 unit", 1, lambda z: LAYERS.Average()([ops.sigmoid(z), ops.sigmoid(2 * z)]),
            lambda z: two((sigmoid(z) + sigmoid(2 * z)) / 2), "log-odds"),
    Foreign("second column of a softmax", 2, lambda z: ops.softmax(z)[:, 1:],
            lambda z: two(softmax(z)[:, 1:]), "log-odds"),
]  # fmt: skip
REFUSED = [
    Foreign("softmax over one unit", 1, LAYERS.Softmax(), says="always 1"),
    Foreign("linear regression", 1, LAYERS.Identity(), says="a regression"),
    Foreign("tanh, 3 units", 3, LAYERS.Activation("tanh"), says="ends in tanh.*neither"),
    Foreign("tanh, 1 unit", 1, LAYERS.Activation("tanh"), says="ends in tanh.*neither"),
    Foreign("relu, 3 units", 3, LAYERS.ReLU(), says="ends in relu.*neither"),
    Foreign("relu, 1 unit", 1, ops.relu, says="ends in relu.*neither"),
    Foreign("exp without a sum", 3, ops.exp, says="ends in Exp.*neither"),
    Foreign("two softmaxes in a row of 6", 3,
            lambda z: LAYERS.Concatenate()([ops.softmax(z), ops.softmax(-z)]), says="neither"),
    Foreign("several outputs", 3, lambda z: [ops.softmax(z), z], says="2 outputs"),
    Foreign("a map of scores", 3,
            lambda z: LAYERS.Reshape((3, 2))(LAYERS.RepeatVector(2)(z)), says="one row of class scores"),
]  # fmt: skip


def build(foreign: Foreign) -> tuple[Any, Formula]:
    """The model, and the weighted sums z of images."""
    rng = np.random.default_rng(foreign.units)
    kernel = rng.normal(0, 0.4, (int(np.prod(SIZE)), foreign.units)).astype(np.float32)
    inputs = keras.Input(SIZE)
    sums = LAYERS.Dense(foreign.units, use_bias=False)
    model = keras.Model([inputs], foreign.end(sums(LAYERS.Flatten()(inputs))))
    sums.set_weights([kernel])
    return model, lambda images: images.reshape(len(images), -1) @ kernel


def main() -> None:
    """Print the table."""
    from xaibench.api import XaibenchError
    from xaibench.classifiers.keras import KerasClassifier

    print(
        "| model ends in | outcome | largest difference of scores | sentence for the reader |\n|---|---|---|---|"
    )
    images = np.random.default_rng(0).random((16, *SIZE), dtype=np.float32)
    for foreign in [*READ, *READ_BACK, *REFUSED]:
        model, sums = build(foreign)
        try:
            classifier = KerasClassifier(model)
            notes = " ".join(classifier.verify(images))
            difference = f"{np.abs(classifier.scores(images) - foreign.scores(sums(images))).max():.1e}"
            outcome = "read back" if "read back" in notes else "read right"
        except XaibenchError as error:
            notes, difference, outcome = str(error), "-", "refused"
        print(f"| {foreign.name} | {outcome} | {difference} | {notes} |")


if __name__ == "__main__":
    main()
