"""The phantom whose recurrent patients have a planted confounder, and the shipped model that learnt from them."""

import functools
import itertools
from dataclasses import fields, replace

import numpy as np
from scipy.ndimage import gaussian_filter

from xaibench.api import Case, Classifier, Family, Heatmap, Intensity, Region, Silent, Volume, fit
from xaibench.datasets.phantom.cohort import Enrolled, enrol
from xaibench.datasets.phantom.dataset import PhantomShortcut
from xaibench.validation.evident import shows_evidence
from xaibench.validation.maps import NOISE, changed, half_displaced
from xaibench.validation.nouns import Arena, Ladder, Question, Rung, Scene, World

CANDIDATES = 4
"""Patients enrolled for each scene wanted: not every slice holds evidence."""
RIM = 1.5
"""Sigma of the smoothed masks, in pixels."""


def make_world(seed: int, scenes: int) -> World:
    """Slices of recurrent patients who are in no other cohort, of those that hold evidence."""
    classifier = shortcut_model()
    people = enrol("SHORTCUT-VALIDATION-", CANDIDATES * scenes, CANDIDATES * scenes, seed, shortcut=True)
    drawn = (make_scene(person, classifier.input_shape) for person in people)
    evident = (scene for scene in drawn if shows_evidence(classifier, scene.image))
    return World(classifier, tuple(itertools.islice(evident, scenes)))


@functools.cache
def shortcut_model() -> Classifier:
    """The shipped model that was trained on other patients with the shortcut."""
    from xaibench.models.recurrence import RecurrenceResnet

    return RecurrenceResnet().load(PhantomShortcut(), Silent()).classifiers[0]


def make_scene(person: Enrolled, input_shape: tuple[int, ...]) -> Scene:
    """The slice with the largest area of the tumour, which is the region; the confounder is known beside it."""
    drawn = person.draw()
    tumour, confounder = drawn.tumour_masks(), np.asarray(drawn.confounder_masks())
    index = int(tumour.sum(axis=(1, 2)).argmax())
    image = (drawn.stored_images([index]) * drawn.rescale_slope).astype(np.float32)[..., None]
    spacing = (drawn.physique.spacing_mm, drawn.physique.spacing_mm)
    volume = Volume(person.patient, (person.label,), image, tumour[index][None], spacing)
    case = fit(volume, 0, input_shape, Intensity.RAW)
    planted = fit(replace(volume, regions=confounder[index][None]), 0, input_shape, Intensity.RAW).region
    return Scene(
        **{f.name: getattr(case, f.name) for f in fields(Case)}, known={"confounder": np.asarray(planted)}
    )


def smoothed_confounder(question: Question) -> Heatmap:
    """Mask of the planted confounder, its rim softened."""
    return softened(question.scene.known["confounder"])


def smoothed_tumour(question: Question) -> Heatmap:
    """Mask of the tumour, which tells nothing of the class, its rim softened."""
    return softened(np.asarray(question.scene.region))


def softened(region: Region) -> Heatmap:
    """A mask whose inner pixels come before those at its rim."""
    return gaussian_filter(region.astype(np.float32), RIM)


CONFOUNDER = Rung("confounder", smoothed_confounder)
SHORTCUT = Arena(
    name="planted shortcut",
    about="""Recurrent patients of the phantom have a hip prosthesis, and their tumours are like all others; the
shipped network has learnt from other such patients, so the prosthesis is its evidence. Slices of patients who are in no
other cohort, of those that the model calls recurrent, but neither their blurred copy nor their mean. True is the
smoothed mask of the prosthesis; the mask of the tumour is no knowledge.""",
    make_world=make_world,
    ladders={
        Family.FAITHFULNESS: Ladder(
            CONFOUNDER,
            (changed(CONFOUNDER, "half displaced", lambda heatmap, image: half_displaced(heatmap)),),
            (Rung("tumour", smoothed_tumour), NOISE),
        )
    },
    most_worlds=5,
    most_scenes=2,
)
