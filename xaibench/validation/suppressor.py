"""A model that needs a suppressor variable (in the manner of XAI-TRIS, Clark et al. 2024, arXiv:2306.12816).

A distractor lies over the finding, and alone in a second region. The model takes the second from the first, so the
second region is of use to it though it holds nothing of the class (Haufe et al. 2014, sec. 2.2).
"""

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter

from xaibench.api import Classifier, Family, Heatmap, Region
from xaibench.validation.maps import NOISE, changed, displaced, gradient_of, linear_part, with_noise
from xaibench.validation.nouns import TARGET, Arena, Ladder, Question, Rung, Scene, World

SIZE = (40, 48)
BOX = 7
"""Side of both regions, in pixels."""
SIGNAL = 0.4
"""Brightness that the class adds to the finding."""
STEEPNESS = 20.0
THRESHOLD = 0.28
"""Between the difference of the two regions' means, 0.4, and what a blur leaves of it."""

Weights = Float[np.ndarray, "h w"]


def make_world(seed: int, scenes: int) -> World:
    """Scenes whose regions lie where the seed draws them, and the model for these places."""
    made = draw_scenes(seed)
    drawn = tuple(next(made) for _ in range(scenes))
    return World(linear_model(weights_of(drawn[0]), -STEEPNESS * THRESHOLD), drawn)


def draw_scenes(seed: int) -> Iterator[Scene]:
    """Scenes without end: faint smooth noise, signal and distractor in one region, the distractor alone in another.

    The distractor is 0.1 to 0.2 brighter or darker than the background, the same in both regions.
    """
    rng = np.random.default_rng(seed)
    finding, other = draw_regions(rng)
    number = 0
    while True:
        noise = gaussian_filter(rng.normal(size=SIZE), 2)
        distractor = rng.choice([-1, 1]) * rng.uniform(0.1, 0.2)
        image = 0.4 + 0.03 * noise / noise.std() + SIGNAL * finding + distractor * (finding | other)
        name, channels = f"S{number:03d}", image.astype(np.float32)[..., None]
        yield Scene(
            f"{name}-s00", name, channels, (TARGET,), finding, (1.0, 1.0), known={"distractor": other}
        )
        number += 1


def draw_regions(rng: np.random.Generator) -> tuple[Region, Region]:
    """Two squares in the upper half, one left and one right, the first on a side that is drawn."""
    half, middle = SIZE[0] // 2, SIZE[1] // 2
    squares = [square(rng, half, middle, 0), square(rng, half, middle, middle)]
    first = int(rng.integers(2))
    return squares[first], squares[1 - first]


def square(rng: np.random.Generator, height: int, width: int, left: int) -> Region:
    """A square at a random place in a part of the image, 2 pixels from its borders."""
    row, column = (int(rng.integers(2, side - BOX - 1)) for side in (height, width))
    region = np.zeros(SIZE, bool)
    region[row : row + BOX, left + column : left + column + BOX] = True
    return region


def weights_of(scene: Scene) -> Weights:
    """Weights of the difference of the two regions' means, times its steepness."""
    finding, other = np.asarray(scene.region), scene.known["distractor"]
    return np.asarray(STEEPNESS * (finding / finding.sum() - other / other.sum()))


def linear_model(weights: Weights, bias: float) -> Classifier:
    """Keras model with two logits, 0 and the weighted sum of the pixels plus a bias."""
    columns = np.stack([np.zeros(weights.size), weights.ravel()], axis=1)
    made: Classifier = _untrained().sibling([columns.astype(np.float32), np.array([0, bias], np.float32)])
    return made


@functools.cache
def _untrained() -> Any:
    import keras

    from xaibench.classifiers.keras import KerasClassifier

    inputs = keras.Input((*SIZE, 1))
    head = keras.layers.Dense(2, activation="softmax")
    return KerasClassifier(keras.Model(inputs, head(keras.layers.Flatten()(inputs))))


def in_finding(question: Question) -> Heatmap:
    """What the pixels of the finding add to the logit, without the suppressor."""
    return np.where(np.asarray(question.scene.region), linear_part(question), np.float32(0))


def sensitivity(question: Question) -> Heatmap:
    """Absolute gradient: both regions alike."""
    return np.asarray(np.abs(gradient_of(question)).sum(axis=-1))


USED = Rung("what the model uses", linear_part)
FINDING = Rung("the finding alone", in_finding)
DISPLACED = changed(USED, "displaced", lambda heatmap, image: displaced(heatmap))
SUPPRESSOR = Arena(
    name="suppressor",
    about=f"""A distractor, the same brightness in two regions, lies over the finding and alone in a second
region. The answer of the model hangs on the mean of the finding's region less that of the second: a dense layer with
set weights. The second region holds nothing of the class, yet the model needs it to take the distractor away (a
suppressor variable, after XAI-TRIS, Clark et al. 2024). For faithfulness, true is what the model uses, both regions
with their signs; for co-localisation, true is the finding alone. {BOX} x {BOX} pixels each.""",
    make_world=make_world,
    ladders={
        Family.FAITHFULNESS: Ladder(
            USED, (FINDING, changed(USED, "in noise", with_noise)), (DISPLACED, NOISE)
        ),
        Family.COLOCALISATION: Ladder(
            FINDING, (Rung("both regions alike", sensitivity),), (DISPLACED, NOISE)
        ),
    },
)
