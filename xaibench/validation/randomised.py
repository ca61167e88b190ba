"""The images of the suppressor variable and a model of random weights, to see that it is the model that is measured."""

import itertools

import numpy as np

from xaibench.api import Classifier, Family, Heatmap
from xaibench.validation.evident import shows_evidence
from xaibench.validation.maps import NOISE, linear_part
from xaibench.validation.nouns import Arena, Ladder, Question, Rung, World
from xaibench.validation.suppressor import SIZE, draw_scenes, linear_model, weights_of

SPREAD = 0.7
"""Of the weights, so that the model is sure of some scenes."""
BIAS = -1.0
"""Logit of an image without contrast."""
CANDIDATES = 3
"""Scenes among which each one with evidence is looked for, before another model is drawn."""


def make_world(seed: int, scenes: int) -> World:
    """The first model of random weights for which enough scenes of the suppressor variable hold evidence."""
    rng = np.random.default_rng(seed)
    drawn = list(itertools.islice(draw_scenes(seed), CANDIDATES * scenes))
    while True:
        classifier = draw_model(rng)
        evident = tuple(scene for scene in drawn if shows_evidence(classifier, scene.image))
        if len(evident) >= scenes:
            return World(classifier, evident[:scenes])


def draw_model(rng: np.random.Generator) -> Classifier:
    """A dense layer with random weights that sum to 0."""
    weights = rng.normal(0, SPREAD, SIZE)
    return linear_model(weights - weights.mean(), BIAS)


def of_the_trained(question: Question) -> Heatmap:
    """What the model of the suppressor variable uses, which is not the one that is asked."""
    scene = question.scene
    return np.asarray(weights_of(scene) * (scene.image[..., 0] - scene.image.mean()), np.float32)


RANDOMISED = Arena(
    name="randomised weights",
    about="""The images of the suppressor variable, and a dense layer whose weights are random; of the scenes, those
that hold evidence for it. True is what this model uses. What the model with the set weights uses, which is the truth
there, must not win here: a metric that preferred it would look at the image and not at the model.""",
    make_world=make_world,
    ladders={
        Family.FAITHFULNESS: Ladder(
            Rung("what this model uses", linear_part),
            (),
            (Rung("what the other model uses", of_the_trained), NOISE),
        )
    },
)
