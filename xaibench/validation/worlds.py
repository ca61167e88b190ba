"""A model whose evidence is known by construction, and cases for it."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, uniform_filter

from xaibench.api import Case, Classifier, Heatmap, Image

SIZE = (40, 48)
BOX = 7
"""Side of the square that the model looks for, in pixels."""
RADIUS = 4
"""Of the bright disc that is the finding, in pixels."""
TARGET = 1


@dataclass(frozen=True, eq=False)
class World:
    """A classifier that sees the finding and nothing else, and cases that each hold one."""

    classifier: Classifier
    cases: tuple[Case, ...]


def make_world(seed: int, cases: int) -> World:
    """Smooth noise with a bright disc at a random place; the model's answer hangs on the brightest square."""
    rng = np.random.default_rng(seed)
    return World(brightest_square(), tuple(make_case(number, rng) for number in range(cases)))


def make_case(number: int, rng: np.random.Generator) -> Case:
    """A case whose region is the disc."""
    noise = gaussian_filter(rng.normal(size=SIZE), 2)
    background = 0.2 + 0.1 * (noise - noise.min()) / np.ptp(noise)
    row, column = (int(rng.integers(RADIUS + 2, side - RADIUS - 2)) for side in SIZE)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    disc = (rows - row) ** 2 + (columns - column) ** 2 <= RADIUS**2
    image = np.where(disc, 0.8, background).astype(np.float32)[..., None]
    return Case(f"W{number:03d}-s00", f"W{number:03d}", image, (TARGET,), disc, (1.0, 1.0))


def brightest_square() -> Classifier:
    """Keras model with two logits, 0 and 30 (m - 0.55), where m is the mean of the brightest 7 x 7 square.

    A convolution with equal weights, the maximum over all places and one dense layer, all with set weights; so the
    evidence is the brightest square and nothing else, and every capability of a convolutional model is there.
    """
    import keras

    from xaibench.classifiers.keras import KerasClassifier

    layers = keras.layers
    inputs = keras.Input((*SIZE, 1))
    squares = layers.Conv2D(1, BOX, padding="valid", activation="relu", name="squares")
    head = layers.Dense(2, activation="softmax", name="head")
    outputs = head(layers.GlobalMaxPooling2D()(squares(inputs)))
    squares.set_weights([np.full((BOX, BOX, 1, 1), 1 / BOX**2, np.float32), np.zeros(1, np.float32)])
    head.set_weights([np.array([[0, 30]], np.float32), np.array([0, -16.5], np.float32)])
    return KerasClassifier(keras.Model(inputs, outputs))


def evidence(image: Image) -> Heatmap:
    """What the model's answer rests on, by its definition: the intensities of the brightest square, 0 elsewhere."""
    grey = image[..., 0].astype(np.float64)
    half = BOX // 2
    means = uniform_filter(grey, BOX)[half:-half, half:-half]
    row, column = np.unravel_index(means.argmax(), means.shape)
    found = np.zeros(grey.shape, np.float32)
    found[row : row + BOX, column : column + BOX] = grey[row : row + BOX, column : column + BOX]
    return found
