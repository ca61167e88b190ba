"""Concepts of the phantom: each changes one thing, and nobody of them is in a cohort or its training."""

from itertools import islice

import numpy as np
import pytest

from xaibench.api import Conceptual
from xaibench.datasets.phantom.concepts import CONCEPTS, FULL_BLADDER, LARGER, PhantomConcepts
from xaibench.datasets.phantom.dataset import Phantom, PhantomShortcut
from xaibench.datasets.phantom.patient import PhantomPatient


def changed(concept: str, invasive: bool = False) -> tuple[PhantomPatient, PhantomPatient]:
    drawn = PhantomPatient.draw(3, invasive)
    return drawn, CONCEPTS[concept](drawn)


def test_each_patient_shows_one_concept_on_the_slice_of_the_largest_tumour() -> None:
    volumes = list(PhantomConcepts(patients=2).volumes())
    assert [volume.labels for volume in volumes] == [(0,), (0,), (1,), (1,), (2,), (2,)]
    assert len({volume.patient for volume in volumes}) == 6
    for volume in volumes:
        assert volume.images.shape == (1, 256, 256, 1)
        assert volume.regions is not None
        assert volume.regions.any()


def test_a_large_tumour_is_larger_in_every_direction() -> None:
    before, after = changed("large tumour")
    areas = [one.tumour_masks().sum(axis=(1, 2)).max() for one in (before, after)]
    assert areas[1] / areas[0] == pytest.approx(LARGER**2, rel=0.1)
    assert after.physique is before.physique


@pytest.mark.parametrize("invasive", [False, True])
def test_an_uneven_tumour_has_more_foci_than_an_invasive_one_and_the_same_outline(invasive: bool) -> None:
    before, after = changed("uneven tumour", invasive)
    assert len(after.tumour.foci) > 11 >= len(before.tumour.foci)
    assert (after.tumour_masks() == before.tumour_masks()).all()


def test_foci_make_a_confined_tumour_uneven() -> None:
    before, after = changed("uneven tumour")
    inside = before.tumour_masks()[7]
    spreads = [one.stored_images([7])[0][inside].std() for one in (before, after)]
    assert spreads[1] > spreads[0]


def test_a_full_bladder_leaves_the_tumour_as_it_is() -> None:
    before, after = changed("full bladder")
    assert after.physique.bladder == FULL_BLADDER
    assert (after.tumour_masks() == before.tumour_masks()).all()
    assert (after.stored_images([6]) != before.stored_images([6])).any()


def test_the_phantom_has_concepts_of_its_own_and_the_shortcuts_have_the_prosthesis_as_often() -> None:
    for dataset in (Phantom(seed=4), PhantomShortcut(seed=4)):
        assert isinstance(dataset, Conceptual)
        assert dataset.concepts() == PhantomConcepts(shortcut=dataset.shortcut, seed=4)
    with_metal, without = (PhantomConcepts(patients=4, shortcut=metal) for metal in (True, False))
    pairs = zip(islice(with_metal.volumes(), 4), islice(without.volumes(), 4), strict=True)
    assert [bool((one.images != other.images).any()) for one, other in pairs] == [False, False, True, True]


def test_the_same_seed_makes_the_same_images_and_another_one_others() -> None:
    first, again, other = (next(PhantomConcepts(seed=seed).volumes()).images for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
