"""A model that sees the brightest square of an image and nothing else."""

import functools

import numpy as np
from scipy.ndimage import gaussian_filter, sobel, uniform_filter

from xaibench.api import Classifier, Family, Heatmap, Image
from xaibench.validation.maps import damaged, gradient_of, noise_of, of_image
from xaibench.validation.nouns import TARGET, Arena, Ladder, Question, Rung, Scene, World

SIZE = (40, 48)
BOX = 7
"""Side of the square that the model looks for, in pixels."""
RADIUS = 4
"""Of the bright disc that is the finding, in pixels."""


def make_world(seed: int, scenes: int) -> World:
    """Smooth noise with a bright disc at a random place; the model's answer hangs on the brightest square."""
    rng = np.random.default_rng(seed)
    return World(brightest_square(), tuple(make_scene(number, rng) for number in range(scenes)))


def make_scene(number: int, rng: np.random.Generator) -> Scene:
    """A scene whose region is the disc."""
    noise = gaussian_filter(rng.normal(size=SIZE), 2)
    background = 0.2 + 0.1 * (noise - noise.min()) / np.ptp(noise)
    row, column = (int(rng.integers(RADIUS + 2, side - RADIUS - 2)) for side in SIZE)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    disc = (rows - row) ** 2 + (columns - column) ** 2 <= RADIUS**2
    image = np.where(disc, 0.8, background).astype(np.float32)[..., None]
    return Scene(f"W{number:03d}-s00", f"W{number:03d}", image, (TARGET,), disc, (1.0, 1.0))


@functools.cache
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


def blurred(image: Image) -> Heatmap:
    """Evidence, spread over its neighbourhood."""
    return np.asarray(gaussian_filter(evidence(image), BOX / 2))


def steady(image: Image) -> Heatmap:
    """Means of all squares: follows the image without a jump."""
    return np.asarray(gaussian_filter(image[..., 0], BOX / 4))


def steady_in_noise(question: Question) -> Heatmap:
    """The same, with noise that a change of the image or the seed draws anew."""
    return np.asarray(steady(question.scene.image) + 0.3 * drawn_anew(question))


def drawn_anew(question: Question) -> Heatmap:
    """Nothing but noise of the image and the seed."""
    return noise_of(question.scene.image, question.seed)


def gradient_times_image(question: Question) -> Heatmap:
    """Linear part of the model's own answer."""
    return np.asarray((gradient_of(question) * question.scene.image).sum(axis=-1))


def edges(image: Image) -> Heatmap:
    """Sobel magnitude: looks like an explanation, and asks no model."""
    return np.asarray(np.hypot(sobel(image[..., 0], 0), sobel(image[..., 0], 1)))


EVIDENCE = Rung("evidence", of_image(evidence))
STEADINESS = Ladder(
    Rung("smooth in the image", of_image(steady)),
    (Rung("smooth, with noise", steady_in_noise),),
    (Rung("noise", drawn_anew),),
)
"""Maps that differ in how much they change with the image and the seed."""
ATTENTION_TO_THE_MODEL = Ladder(
    Rung("gradient x image", gradient_times_image), (), (Rung("edges", of_image(edges)),)
)
"""Maps that differ in whether they hang on the model."""
CONCENTRATION = Ladder(
    EVIDENCE,
    (Rung("evidence, blurred", of_image(blurred)),),
    (Rung("constant", of_image(lambda image: np.ones(image.shape[:-1], np.float32))),),
)
"""Maps that differ in how few pixels hold them."""
BRIGHTEST_SQUARE = Arena(
    name="brightest square",
    about=f"""Smooth noise with a bright disc, which is the finding. The answer of the model hangs on the brightest
{BOX} x {BOX} square of the image and on nothing else: a convolution, a maximum and a dense layer with set weights. True
is a map of that square (or the explainer that is steady, that hangs on the model, that is concentrated).""",
    make_world=make_world,
    ladders={
        Family.FAITHFULNESS: damaged(EVIDENCE),
        Family.COLOCALISATION: damaged(EVIDENCE),
        Family.ROBUSTNESS: STEADINESS,
        Family.RANDOMISATION: ATTENTION_TO_THE_MODEL,
        Family.COMPLEXITY: CONCENTRATION,
    },
)
