"""Which slices are trained on, and how patients fall into folds."""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from tests.models.made_up import made_samples
from xaibench.api import Volume, XaibenchError
from xaibench.models.folds import balanced_weights, stratified_folds
from xaibench.models.known_patients import image_hash
from xaibench.models.samples import Samples, slices_of


class FourPatients:
    """Slice i of a masked patient has i annotated pixels; the last patient has no mask."""

    class_names: ClassVar[tuple[str, ...]] = ("fine", "ill")
    summary: ClassVar[str] = "made up"

    def volumes(self) -> Iterator[Volume]:
        rng = np.random.default_rng(0)
        for index in range(4):
            images = rng.normal(size=(5, 8, 8, 1)).astype(np.float32)
            masks = np.zeros((5, 8, 8), bool)
            for area in range(5):
                masks[area].flat[:area] = True
            yield Volume(f"P{index}", (index % 2,), images, None if index == 3 else masks, (1.0, 1.0))

    def notes(self) -> list[str]:
        return []


def test_slices_with_a_large_enough_share_of_the_tumour_are_taken() -> None:
    samples = slices_of(FourPatients(), (8, 8, 1), mask_share=0.5)
    assert samples.patients == ("P0",) * 3 + ("P1",) * 3 + ("P2",) * 3 + ("P3",) * 5
    volumes = list(FourPatients().volumes())
    np.testing.assert_array_equal(samples.images[:3], volumes[0].images[2:])
    assert samples.labels.tolist() == [0] * 3 + [1] * 3 + [0] * 3 + [1] * 5
    assert samples.image_hashes == {volume.patient: image_hash(volume) for volume in volumes}


def test_a_share_of_zero_takes_every_slice() -> None:
    assert len(slices_of(FourPatients(), (8, 8, 1), mask_share=0.0).labels) == 20


def test_a_share_beyond_one_is_refused() -> None:
    with pytest.raises(XaibenchError, match=r"--mask-share is 1\.5; give a share"):
        slices_of(FourPatients(), (8, 8, 1), mask_share=1.5)


def test_patients_are_numbered_by_name_and_keep_their_labels() -> None:
    images = np.random.default_rng(0).normal(size=(4, 2, 2, 1)).astype(np.float32)
    samples = Samples(images, np.array([1, 0, 1, 0]), ("B", "A", "B", "C"))
    assert samples.names == ("A", "B", "C")
    assert samples.owners.tolist() == [1, 0, 1, 2]
    assert samples.patient_labels.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("labels", "patients", "sentence"),
    [
        ([0, 0, 0, 0], "AABC", r"have the labels \[0\]; training takes two classes"),
        ([0, 1, 2, 0], "ABCD", r"have the labels \[0, 1, 2\]; training takes two classes"),
        ([0, 1, 1, 0], "AABC", "Patient A has slices of both classes"),
        ([0, 1, 0, 1], "ABC", "4 images, 4 labels and 3 patients"),
    ],
)
def test_unusable_labels_are_one_sentence(labels: list[int], patients: str, sentence: str) -> None:
    images = np.random.default_rng(0).normal(size=(4, 2, 2, 1)).astype(np.float32)
    with pytest.raises(XaibenchError, match=sentence):
        Samples(images, np.array(labels), tuple(patients))


def test_one_patient_under_two_pseudonyms_is_refused() -> None:
    class Twice(FourPatients):
        def volumes(self) -> Iterator[Volume]:
            yield from super().volumes()
            yield replace(next(super().volumes()), patient="P9")

    with pytest.raises(XaibenchError, match="Patients P0 and P9 have the same images"):
        slices_of(Twice(), (8, 8, 1))


@pytest.mark.parametrize("pixel", [7.0, np.nan])
def test_a_constant_or_broken_slice_is_named(pixel: float) -> None:
    images = np.random.default_rng(0).normal(size=(3, 4, 4, 1)).astype(np.float32)
    images[2] = pixel
    with pytest.raises(XaibenchError, match="Patient B, slice 1 of those chosen"):
        Samples(images, np.array([0, 1, 1]), ("A", "B", "B"))


def test_every_fold_has_its_share_of_each_class() -> None:
    labels = np.random.default_rng(1).permutation([0] * 21 + [1] * 7)
    for seed in range(20):
        folds = stratified_folds(labels, 5, seed)
        for label, few, many in ((0, 4, 5), (1, 1, 2)):
            counts = np.bincount(folds[labels == label], minlength=5)
            assert counts.min() == few
            assert counts.max() == many


def test_folds_depend_on_the_seed_and_on_nothing_else() -> None:
    labels = np.array([0] * 10 + [1] * 10)
    np.testing.assert_array_equal(stratified_folds(labels, 5, 3), stratified_folds(labels, 5, 3))
    assert (stratified_folds(labels, 5, 3) != stratified_folds(labels, 5, 4)).any()


@pytest.mark.parametrize(
    ("positive", "folds", "sentence"),
    [
        (1, 5, "Class ill has 1 patient"),
        (4, 5, "class ill has only 4 patients; give --folds 4 or fewer"),
        (4, 1, "--folds is 1; cross-validation needs at least 2"),
    ],
)
def test_classes_too_small_for_the_folds_are_refused(positive: int, folds: int, sentence: str) -> None:
    with pytest.raises(XaibenchError, match=sentence):
        stratified_folds(np.array([0] * 9 + [1] * positive), folds, 0, ("fine", "ill"))


def test_classes_patients_and_slices_weigh_alike() -> None:
    labels, owners = np.array([0, 0, 0, 1]), np.array([0, 0, 0, 1, 2, 3, 3])
    weights = balanced_weights(labels, np.array([True, True, False, True]), owners)
    expected = [1 / 12, 1 / 12, 1 / 12, 1 / 4, 0, 1 / 4, 1 / 4]
    np.testing.assert_allclose(weights, expected)


def test_the_hash_of_the_samples_follows_labels_and_pixels() -> None:
    samples = made_samples()
    changed = Samples(samples.images + 1, samples.labels, samples.patients)
    swapped = Samples(samples.images, 1 - samples.labels, samples.patients)
    assert len({samples.fingerprint(), changed.fingerprint(), swapped.fingerprint()}) == 3
    assert samples.fingerprint() == made_samples().fingerprint()
