"""From volumes to cases: which patients, which slices, and the fit to the model's input."""

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pytest

from tests.closed_form import linear, pooled
from xaibench.api import Volume, XaibenchError
from xaibench.classifiers.keras import KerasClassifier
from xaibench.harness.cohort import build_cohort, cases_of, choose_patients, fit
from xaibench.harness.spec import Intensity, RunSpec, Slices


def volume(
    patient: str = "P001", label: int = 0, size: tuple[int, int] = (8, 8), masked: bool = True
) -> Volume:
    rng = np.random.default_rng(int(patient[1:]))
    images = rng.random((3, *size, 1), dtype=np.float32) * 100
    masks = np.zeros((3, *size), bool)
    masks[1, 2:5, 2:4] = True
    masks[2, 2:3, 2:4] = True
    return Volume(patient, label, images, masks if masked else None, (1.0, 2.0))


class Volumes:
    """A dataset of given volumes that notes how many were read."""

    class_names: ClassVar = ("no", "yes")
    summary: ClassVar = "made by the test"

    def __init__(self, *volumes: Volume) -> None:
        self.all = volumes
        self.read = 0

    def volumes(self) -> Iterator[Volume]:
        for one in self.all:
            self.read += 1
            yield one

    def notes(self) -> list[str]:
        return ["made by the test."]


def likes_bright(shape: tuple[int, int, int] = (8, 8, 1)) -> KerasClassifier:
    return linear(np.full(shape, 1e-4))


def build(dataset: Any, shape: tuple[int, int, int] = (8, 8, 1), **settings: Any) -> Any:
    return build_cohort(dataset, "made", RunSpec(**settings), lambda _: likes_bright(shape))


def test_the_slice_with_the_largest_mask_is_explained() -> None:
    cohort = build(Volumes(volume("P001"), volume("P002", 1)))
    assert [case.id for case in cohort.cases] == ["P001-s01", "P002-s01"]
    assert cohort.patients == 2


def test_without_a_mask_the_slice_that_speaks_most_for_the_last_class_is_explained() -> None:
    one = volume("P001", masked=False)
    chosen = cases_of(one, RunSpec(), likes_bright())
    assert [case.slice_index for case in chosen] == [int(one.images.mean(axis=(1, 2, 3)).argmax())]


def test_the_slice_with_the_highest_weighted_map_is_explained_when_asked() -> None:
    filters, head = np.array([[1.0, 2.0]]), np.array([[0.0, 3.0], [1.0, -1.0]])
    one = volume(masked=True)
    one.images[0] *= 3  # class 1 has weight 3 on a map that is the image itself: the brightest slice wins
    chosen = cases_of(one, RunSpec(slices=Slices.HIGHEST_MAP), pooled(filters, head))
    assert [case.slice_index for case in chosen] == [0]


def test_the_highest_weighted_map_is_that_of_the_class_the_patient_is_predicted() -> None:
    filters = np.array([[1.0, 0.0], [0.0, 1.0]])  # a map a channel, a class a map
    one = Volume("P001", 1, np.zeros((3, 8, 8, 2), np.float32), None, (1.0, 1.0))
    one.images[0, ..., 0] = 2.0
    one.images[1, ..., 1] = 1.0
    one.images[2, ..., 0] = 3.0
    chosen = cases_of(one, RunSpec(slices=Slices.HIGHEST_MAP), pooled(filters, np.eye(2)))
    assert [case.slice_index for case in chosen] == [2]  # class 0 is predicted, though the label is 1


def test_a_model_without_maps_cannot_choose_by_them() -> None:
    with pytest.raises(XaibenchError, match="--slices highest-map is asked for, but the model has no conv"):
        build(Volumes(volume()), slices=Slices.HIGHEST_MAP)


def test_all_slices_are_explained_when_asked() -> None:
    assert len(build(Volumes(volume()), slices=Slices.ALL).cases) == 3


def test_few_patients_cover_the_classes_in_turn_and_no_more_are_read_than_needed() -> None:
    labels = [0, 0, 0, 1, 0, 1, 0, 1]
    dataset = Volumes(*(volume(f"P{i:03d}", label) for i, label in enumerate(labels)))
    chosen = list(choose_patients(dataset, 4))
    assert sorted(v.label for v in chosen) == [0, 0, 1, 1]
    assert dataset.read == 6


def test_missing_patients_of_a_class_are_made_up_by_the_other() -> None:
    dataset = Volumes(*(volume(f"P{i:03d}", label) for i, label in enumerate([0, 0, 0, 0, 1])))
    assert [v.patient for v in choose_patients(dataset, 4)] == ["P000", "P001", "P004", "P002"]
    assert len(list(choose_patients(dataset, 9))) == 5


def test_images_masks_and_spacing_are_fitted_to_the_models_input() -> None:
    case = fit(volume(size=(16, 16)), 1, (8, 8, 3), Intensity.RAW)
    assert case.image.shape == (8, 8, 3)
    assert case.region is not None
    assert case.region.shape == (8, 8)
    assert case.spacing_mm == (2.0, 4.0)
    np.testing.assert_array_equal(case.image[..., 0], case.image[..., 2])


def test_fitting_is_said_once_in_words() -> None:
    cohort = build(Volumes(volume("P001", size=(16, 24)), volume("P002", size=(16, 24))), (8, 8, 3))
    notes = " ".join(cohort.notes)
    assert notes.count("16x24 pixels are resized to the model's input of 8x8") == 1
    assert "changes the proportions" in notes
    assert "repeated to the three channels" in notes


def test_unit_intensity_maps_percentiles_to_zero_and_one() -> None:
    image = fit(volume(), 0, (8, 8, 1), Intensity.UNIT).image
    assert image.min() == 0
    assert image.max() == 1


def test_nan_pixels_are_one_sentence() -> None:
    broken = volume()
    broken.images[1, 0, 0] = np.nan
    with pytest.raises(XaibenchError, match="Case P001/slice 1: the image holds NaN"):
        fit(broken, 1, (8, 8, 1), Intensity.RAW)


def test_trap_13_a_mask_of_another_size_is_one_sentence() -> None:
    broken = volume("P007")
    object.__setattr__(broken, "masks", np.ones((3, 4, 4), bool))  # the type check would refuse it under test
    with pytest.raises(XaibenchError, match="Case P007/slice 0: mask is 4x4 but the image is 8x8"):
        fit(broken, 0, (8, 8, 1), Intensity.RAW)


def test_colour_images_for_a_grey_model_are_one_sentence() -> None:
    colour = Volume("P001", 0, np.zeros((1, 8, 8, 3), np.float32), None, (1.0, 1.0))
    with pytest.raises(XaibenchError, match="3 channels but the model takes 1"):
        fit(colour, 0, (8, 8, 1), Intensity.RAW)


def test_an_empty_cohort_is_one_sentence() -> None:
    with pytest.raises(XaibenchError, match="no usable case"):
        build(Volumes())


def test_fingerprint_changes_with_a_pixel_a_mask_or_a_label() -> None:
    prints = {build(Volumes(one)).fingerprint() for one in (volume(), volume(label=1), volume("P002"))}
    assert len(prints) == 3
