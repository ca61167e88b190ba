"""From volumes to cases: which patients, which slices, the fit to the model's input, and the order of the classes."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise, product
from typing import Any, ClassVar

import numpy as np
import pytest

from tests.harness.in_memory import likes_bright
from xaibench.api import Classifier, Intensity, LoadedModel, Match, Need, Volume, XaibenchError, fit
from xaibench.classifiers.base import BaseClassifier
from xaibench.harness.cohort import (
    Cohort,
    assumed_order,
    build_cohort,
    cases_of,
    choose_patients,
    in_the_order_of,
)
from xaibench.harness.spec import Preset, RunSpec, Slices

GREY = (8, 8, 1)


def volume(
    patient: str = "P001", label: int = 0, size: tuple[int, int] = (8, 8), annotated: bool = True
) -> Volume:
    rng = np.random.default_rng(int(patient[1:]))
    images = rng.random((3, *size, 1), dtype=np.float32) * 100
    regions = np.zeros((3, *size), bool)
    regions[1, 2:5, 2:4] = True
    regions[2, 2:3, 2:4] = True
    return Volume(patient, (label,), images, regions if annotated else None, (1.0, 2.0), region_name="tumour")


class Volumes:
    """A dataset of given volumes that notes how many were read."""

    summary: ClassVar = "made by the test"

    def __init__(self, *volumes: Volume, class_names: tuple[str, ...] = ("no", "yes")) -> None:
        self.all = volumes
        self.class_names = class_names
        self.read = 0

    def volumes(self) -> Iterator[Volume]:
        for one in self.all:
            self.read += 1
            yield one

    def notes(self) -> list[str]:
        return ["Made by the test."]


class OwnChannels(BaseClassifier):
    """Feature maps are the channels of the image; the logits are their means times a head `[maps k]`."""

    exclusive = True
    fingerprint = "own channels"
    n_classes = 2
    default_layer = "image"

    def __init__(self, head: np.ndarray) -> None:
        super().__init__((8, 8, len(head)))
        self.head = head

    @property
    def offers(self) -> frozenset[Need]:
        return frozenset({Need.SCORES, Need.FEATURE_GRADIENTS})

    def _scores(self, images: np.ndarray) -> np.ndarray:
        powers = np.exp(images.mean(axis=(1, 2)) @ self.head)
        return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)

    def _feature_gradients(
        self, images: np.ndarray, targets: np.ndarray, *, layer: str
    ) -> tuple[np.ndarray, np.ndarray]:
        pixels = images.shape[1] * images.shape[2]
        gradients = np.broadcast_to(self.head.T[targets][:, None, None] / pixels, images.shape)
        return images, gradients.astype(np.float32)


def model(*classifiers: Classifier, **facts: Any) -> LoadedModel:
    return LoadedModel("test", classifiers or (likes_bright(1e-2),), **facts)


def build(dataset: Any, loaded: LoadedModel | None = None, **settings: Any) -> Cohort:
    return build_cohort(dataset, "made", RunSpec(**settings), loaded or model())


def slices_of(one: Volume, rule: Slices, classifier: Classifier) -> list[int]:
    return [case.slice_index for case in cases_of(one, rule, Intensity.RAW, classifier)]


# ---------------------------------------------------------------- slices


def test_the_slice_with_the_largest_region_is_explained() -> None:
    cohort = build(Volumes(volume("P001"), volume("P002", 1)))
    assert [case.id for case in cohort.cases] == ["P001-s01", "P002-s01"]
    assert [case.labels for case in cohort.cases] == [(0,), (1,)]
    assert {case.region_name for case in cohort.cases} == {"tumour"}


@pytest.mark.parametrize("empty", [True, False])
def test_without_a_region_the_slice_that_speaks_most_for_the_last_class_is_explained(empty: bool) -> None:
    one = volume("P001", annotated=False)
    if empty:
        one = replace(one, regions=np.zeros((3, 8, 8), bool))
    brightest = int(one.images.mean(axis=(1, 2, 3)).argmax())
    assert slices_of(one, Slices.LARGEST_MASK, likes_bright(1e-2)) == [brightest]
    assert slices_of(volume(), Slices.HIGHEST_SCORE, likes_bright(-1e-2)) == [
        int(volume().images.mean(axis=(1, 2, 3)).argmin())
    ]


def test_the_slice_with_the_highest_weighted_map_is_explained_when_asked() -> None:
    one = volume()
    one.images[0] *= 3  # class 1 has weight 3 on a map that is the image itself: the brightest slice wins
    classifier = OwnChannels(np.array([[0.0, 3.0]]))
    assert slices_of(one, Slices.HIGHEST_MAP, classifier) == [0]


def test_the_highest_weighted_map_is_that_of_the_class_the_patient_is_predicted() -> None:
    one = Volume("P001", (1,), np.zeros((3, 8, 8, 2), np.float32), None, (1.0, 1.0))
    one.images[0, ..., 0] = 2.0
    one.images[1, ..., 1] = 1.0
    one.images[2, ..., 0] = 3.0
    classifier = OwnChannels(np.eye(2))  # a map a channel, a class a map
    assert slices_of(one, Slices.HIGHEST_MAP, classifier) == [
        2
    ]  # class 0 is predicted, though the label is 1


def test_a_model_without_maps_cannot_choose_by_them() -> None:
    with pytest.raises(
        XaibenchError, match=r"--slices highest-map is asked for, but .*feature-map gradients; "
    ):
        build(Volumes(volume()), slices=Slices.HIGHEST_MAP)


def test_all_slices_are_explained_when_asked() -> None:
    assert len(build(Volumes(volume()), slices=Slices.ALL).cases) == 3


# ---------------------------------------------------------------- patients


def labelled(labels: Sequence[int], classes: int = 2) -> Volumes:
    names = tuple(f"class {number}" for number in range(classes))
    return Volumes(*(volume(f"P{i:03d}", label) for i, label in enumerate(labels)), class_names=names)


def test_few_patients_cover_the_classes_in_turn_and_no_more_are_read_than_needed() -> None:
    dataset = labelled([0, 0, 0, 1, 0, 1, 0, 1])
    chosen = list(choose_patients(dataset, 4))
    assert sorted(v.label for v in chosen) == [0, 0, 1, 1]
    assert dataset.read == 6


def test_missing_patients_of_a_class_are_made_up_by_the_other() -> None:
    dataset = labelled([0, 0, 0, 0, 1])
    assert [v.patient for v in choose_patients(dataset, 4)] == ["P000", "P001", "P004", "P002"]
    assert len(list(choose_patients(dataset, 9))) == 5


def test_no_class_is_left_out_where_the_number_does_not_divide() -> None:
    labels = [0, 0, 0, 1, 1, 1, 2, 2, 2]
    counts = {n: [v.label for v in choose_patients(labelled(labels, 3), n)] for n in (3, 4, 5, 7)}
    assert {n: [found.count(label) for label in range(3)] for n, found in counts.items()} == {
        3: [1, 1, 1],
        4: [2, 1, 1],
        5: [2, 2, 1],
        7: [3, 2, 2],
    }


def test_a_larger_number_of_patients_holds_those_of_the_smaller() -> None:
    for labels in product(range(3), repeat=5):
        chosen = [{v.patient for v in choose_patients(labelled(labels, 3), n)} for n in range(1, 6)]
        assert [len(names) for names in chosen] == [1, 2, 3, 4, 5]
        assert all(fewer < more for fewer, more in pairwise(chosen)), labels


def test_the_smoke_preset_takes_four_patients() -> None:
    assert len(build(labelled([0, 1] * 4), preset=Preset.SMOKE).cases) == 4
    assert len(build(labelled([0, 1] * 4), preset=Preset.SMOKE, patients=6).cases) == 6


def test_cases_are_sorted_whatever_the_order_of_the_patients() -> None:
    cohort = build(labelled([0, 0, 1]), patients=2)
    assert [case.patient for case in cohort.cases] == ["P000", "P002"]
    backwards = Volumes(volume("P002"), volume("P001"))
    assert [case.patient for case in build(backwards).cases] == ["P001", "P002"]


def test_an_empty_cohort_is_one_sentence() -> None:
    with pytest.raises(XaibenchError, match="The cohort made holds no usable case"):
        build(Volumes())


def test_a_patient_who_comes_twice_is_one_sentence() -> None:
    with pytest.raises(XaibenchError, match="The dataset yields P001-s01 twice"):
        build(Volumes(volume("P001"), volume("P001")))


def test_each_patient_is_matched_to_the_classifier_that_may_explain_them() -> None:
    class ByNumber(LoadedModel):
        def match(self, one: Volume) -> Match:
            return Match(int(one.patient[1:]) % 2, "image")

    folds = ByNumber("folds", (likes_bright(1e-2), likes_bright(-1e-2)))
    cohort = build(Volumes(*(volume(f"P00{n}", annotated=False) for n in (1, 2))), folds)
    assert cohort.matches == {"P001": Match(1, "image"), "P002": Match(0, "image")}
    brightness = [volume(f"P00{n}").images.mean(axis=(1, 2, 3)) for n in (1, 2)]
    assert [case.slice_index for case in cohort.cases] == [brightness[0].argmin(), brightness[1].argmax()]


# ---------------------------------------------------------------- fitting


def test_images_regions_and_spacing_are_fitted_to_the_models_input() -> None:
    case = fit(volume(size=(16, 16)), 1, (8, 8, 3), Intensity.RAW)
    assert case.image.shape == (8, 8, 3)
    assert case.region is not None
    assert case.region.shape == (8, 8)
    assert case.spacing_mm == (2.0, 4.0)
    unknown = replace(volume(size=(16, 16)), spacing_mm=None)
    assert fit(unknown, 1, (8, 8, 3), Intensity.RAW).spacing_mm is None
    np.testing.assert_array_equal(case.image[..., 0], case.image[..., 2])


def test_fitting_is_said_once_in_words() -> None:
    dataset = Volumes(volume("P001", size=(16, 24)), volume("P002", size=(16, 24)))
    cohort = build(dataset, model(likes_bright(1e-2, (8, 8, 3))))
    notes = " ".join(cohort.notes)
    assert cohort.notes[0] == "Made by the test."
    assert notes.count("16x24 pixels are resized to the model's input of 8x8") == 1
    assert "changes the proportions" in notes
    assert "repeated to the three channels" in notes


def test_unit_intensity_maps_percentiles_to_zero_and_one() -> None:
    image = fit(volume(), 0, GREY, Intensity.UNIT).image
    assert image.min() == 0
    assert image.max() == 1


def test_images_are_given_as_the_model_was_trained_unless_the_run_says_so() -> None:
    trained = model(intensity=Intensity.UNIT)
    assert build(Volumes(volume()), trained).cases[0].image.max() == 1
    assert build(Volumes(volume())).cases[0].image.max() > 1
    assert build(Volumes(volume()), intensity="unit").cases[0].image.max() == 1
    with pytest.raises(XaibenchError, match="was trained with --intensity unit, but this run gives it raw"):
        build(Volumes(volume()), trained, intensity="raw")


def test_nan_pixels_are_one_sentence() -> None:
    broken = volume()
    broken.images[1, 0, 0] = np.nan
    with pytest.raises(XaibenchError, match="Case P001/slice 1: the image holds NaN"):
        fit(broken, 1, GREY, Intensity.RAW)


def test_trap_13_a_region_of_another_size_is_one_sentence() -> None:
    broken = volume("P007")
    object.__setattr__(
        broken, "regions", np.ones((3, 4, 4), bool)
    )  # the type check would refuse it under test
    with pytest.raises(XaibenchError, match="Case P007/slice 0: mask is 4x4 but the image is 8x8"):
        fit(broken, 0, GREY, Intensity.RAW)


def test_colour_images_for_a_grey_model_are_one_sentence() -> None:
    colour = Volume("P001", (0,), np.zeros((1, 8, 8, 3), np.float32), None, (1.0, 1.0))
    with pytest.raises(XaibenchError, match="3 channels but the model takes 1"):
        fit(colour, 0, GREY, Intensity.RAW)


# ---------------------------------------------------------------- classes


def test_labels_sorted_by_the_alphabet_follow_the_names_of_the_models_outputs() -> None:
    alphabet = ("glioma", "meningioma", "pituitary")  # the labels 0, 1, 2 of the cohort
    outputs = ("glioma", "meningioma", "no tumour", "pituitary")
    volumes = [volume(f"P00{label}", label) for label in range(3)]
    cohort = build(Volumes(*volumes, class_names=alphabet))
    ordered = in_the_order_of(outputs, cohort)
    assert [ordered.class_names[case.label] for case in ordered.cases] == list(alphabet)
    assert [case.label for case in ordered.cases] == [0, 1, 3]
    assert ordered.class_names == outputs
    assert [case.label for case in cohort.cases] == [0, 1, 2]


def test_swapped_names_swap_the_labels_and_several_labels_go_along() -> None:
    cohort = build(labelled([0, 1]))
    cohort = replace(cohort, cases=[*cohort.cases, replace(cohort.cases[0], labels=(0, 1))])
    ordered = in_the_order_of(("class 1", "class 0"), cohort)
    assert [case.labels for case in ordered.cases] == [(1,), (0,), (1, 0)]


@pytest.mark.parametrize("outputs", [(), ("class 0", "class 1"), ("class 0", "else"), ("a", "b")])
def test_labels_stay_where_the_outputs_have_no_or_other_names(outputs: tuple[str, ...]) -> None:
    cohort = build(labelled([0, 1]))
    assert in_the_order_of(outputs, cohort) is cohort


def notes_on(
    outputs: Sequence[str], count: int, predicted: Sequence[int], labels: Sequence[int] = (0, 1)
) -> str:
    """What is said of a model with `count` outputs that predicts these classes."""
    loaded = model(likes_bright(classes=count), class_names=tuple(outputs))
    cohort = in_the_order_of(outputs, build(labelled(labels)))
    scores = dict(zip([case.id for case in cohort.cases], np.eye(count)[list(predicted)], strict=True))
    return " ".join(assumed_order(loaded, cohort, scores))


def test_nothing_is_said_of_outputs_whose_names_are_the_labels() -> None:
    assert notes_on(("class 1", "class 0"), 2, [0, 0]) == ""
    assert notes_on(("other", "class 1", "class 0"), 3, [0, 0]) == ""


def test_other_names_are_said_with_what_is_assumed() -> None:
    assert notes_on(("fine", "ill"), 2, [0, 1]) == (
        "The model's outputs are named fine, ill, the cohort's labels class 0, class 1; assumed is output 0 = class 0, "
        "output 1 = class 1. If that is wrong, name the outputs in their order with --classes."
    )


def test_more_outputs_than_labels_are_said_with_what_is_assumed() -> None:
    said = notes_on((), 4, [0, 1])
    assert said.startswith(
        "The model has 4 outputs without names, the cohort 2 labels; assumed is output 0 = "
    )


def test_unnamed_outputs_that_are_right_are_taken_as_they_stand() -> None:
    assert notes_on((), 2, [0, 1, 1, 1], [0, 1, 0, 1]) == ""


def test_unnamed_outputs_that_are_no_better_than_guessing_are_said() -> None:
    said = notes_on((), 2, [1, 0, 0, 0], [0, 1, 0, 1])
    assert said.startswith(
        "The model is right in 1 of 4 cases, no more than by always naming one class, and its outputs have no names; "
        "assumed is output 0 = class 0"
    )
