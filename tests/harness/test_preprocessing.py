"""Preprocessing that a spec declares: what becomes of a pixel, what is recorded, what is told before the run."""

from typing import Any

import numpy as np
import pytest
from keras.applications import imagenet_utils

from tests.harness.in_memory import Patients, likes_bright, made_cases
from xaibench.api import Intensity, LoadedModel, Preprocessing, Silent, XaibenchError
from xaibench.classifiers.callable import PythonCallable
from xaibench.classifiers.preprocessed import Preprocessed
from xaibench.harness.describe import Sources
from xaibench.harness.prepare import Prepared, prepare
from xaibench.harness.preprocessing import preprocessing_of, with_preprocessing
from xaibench.harness.spec import RunSpec

COLOURS = np.random.default_rng(0).integers(0, 256, (2, 5, 4, 3)).astype(np.float32)


def declared(intensity: Intensity = Intensity.RAW, **settings: Any) -> Preprocessing:
    made = preprocessing_of(RunSpec(**settings), intensity)
    assert made is not None
    return made


@pytest.mark.parametrize("mode", ["tf", "torch", "caffe"])
def test_modes_are_those_of_keras_applications(mode: str) -> None:
    expected = imagenet_utils.preprocess_input(COLOURS.copy(), mode=mode)
    np.testing.assert_allclose(declared(preprocessing=mode)(COLOURS), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "mode"), [("densenet", "torch"), ("resnet50", "caffe"), ("xception", "tf"), ("vgg16", "caffe")]
)
def test_a_network_of_keras_applications_stands_for_its_mode(name: str, mode: str) -> None:
    assert declared(preprocessing=name) == declared(preprocessing=mode)


@pytest.mark.parametrize(
    ("settings", "pixels", "expected"),
    [
        ({"scale": "-1:1"}, [0, 127.5, 255], [-1, 0, 1]),
        ({"scale": "0:1"}, [0, 51, 255], [0, 0.2, 1]),
        ({"scale": "0:255", "image_range": "0:1"}, [0, 0.2, 1], [0, 51, 255]),
        ({"scale": "0:1", "image_range": "-1000:3000"}, [-1000, 0, 3000], [0, 0.25, 1]),
        ({"scale": "0:1", "mean": "0.5", "std": "0.25"}, [0, 127.5, 255], [-2, 0, 2]),
        ({"mean": "100", "std": "20"}, [100, 120, 60], [0, 1, -2]),
        ({"mean": "100"}, [100, 120], [0, 20]),
        ({"std": "20"}, [100, 120], [5, 6]),
    ],
)
def test_scale_then_mean_then_deviation(
    settings: dict[str, str], pixels: list[float], expected: list[float]
) -> None:
    images = np.array(pixels, np.float32)[:, None]
    np.testing.assert_allclose(declared(**settings)(images)[:, 0], expected, atol=1e-5)


def test_each_channel_may_have_numbers_of_its_own() -> None:
    found = declared(scale="0:1", mean="0.485,0.456,0.406", std="0.229,0.224,0.225")(COLOURS)
    np.testing.assert_allclose(found, declared(preprocessing="torch")(COLOURS), atol=1e-5)
    np.testing.assert_allclose(declared(mean="1,2,3", std="2")(COLOURS), (COLOURS - [1, 2, 3]) / 2, atol=1e-5)


def test_unit_intensities_are_scaled_from_0_to_1() -> None:
    assert declared(Intensity.UNIT, scale="-1:1") == declared(scale="-1:1", image_range="0:1")
    unit = declared(Intensity.UNIT, preprocessing="tf")
    np.testing.assert_allclose(unit(np.array([[0.0], [1.0]], np.float32))[:, 0], [-1, 1], atol=1e-6)


def test_nothing_is_declared_without_an_option() -> None:
    assert preprocessing_of(RunSpec(), Intensity.RAW) is None


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"scale": "1:-1"}, r"--scale 1:-1 is not LOW:HIGH"),
        ({"scale": "5"}, r"--scale 5 is not LOW:HIGH"),
        ({"scale": "0:nan"}, r"is not LOW:HIGH"),
        ({"scale": "0:1", "image_range": "a:b"}, r"--image-range a:b is not LOW:HIGH"),
        ({"image_range": "0:1"}, "--image-range needs --scale or --preprocessing"),
        ({"mean": "x"}, "--mean x is no number"),
        ({"std": "0"}, "--std 0 holds a number that is not above 0"),
        ({"mean": "1,2", "std": "1,2,3"}, "--mean has 2 numbers and --std 3"),
        ({"preprocessing": "tf", "scale": "0:1"}, "already says how images are scaled"),
        ({"preprocessing": "resnet51"}, "There is no preprocessing 'resnet51'; did you mean 'resnet50'"),
    ],
)
def test_what_does_not_fit_is_one_sentence(settings: dict[str, str], sentence: str) -> None:
    with pytest.raises(XaibenchError, match=sentence):
        preprocessing_of(RunSpec(**settings), Intensity.RAW)


# ---------------------------------------------------------------- in a run


def prepared(
    brightness: float = 1.0, count: int = 4, model: LoadedModel | None = None, **settings: Any
) -> Prepared:
    cases = made_cases(count)
    for case in cases:
        case.image[:] *= brightness
    model = model or LoadedModel("test", (likes_bright(),))
    spec = RunSpec(**{"methods": "random", "metrics": "gini", **settings})
    return prepare(spec, Silent(), Sources(Patients(tuple(cases)), "in memory", model))


def told(run: Prepared, words: str) -> list[str]:
    assert set(run.info.cohort.notes) <= set(run.sentences)
    return [sentence for sentence in run.sentences if words in sentence]


def test_the_model_is_given_preprocessed_images_and_cases_stay_as_they_are() -> None:
    plain, scaled = prepared(), prepared(255, scale="0:1")
    for name, case in plain.cases.items():
        np.testing.assert_allclose(scaled.cases[name].image, case.image * 255, rtol=1e-5)
    for before, after in zip(plain.info.cohort.cases, scaled.info.cohort.cases, strict=True):
        np.testing.assert_allclose(after.scores, before.scores, rtol=1e-4)
        assert after.key != before.key
    assert scaled.info.model.key != plain.info.model.key
    assert scaled.info.model.facts["preprocessing"] == "pixel x (0.003922) + (0)"
    assert scaled.info.spec["scale"] == "0:1"


def test_the_range_of_the_pixels_is_told_before_the_run() -> None:
    (note,) = told(prepared(), "pixels of the images run from 0.0")
    assert note.endswith("the model is given them so.")
    (note,) = told(prepared(255, scale="-1:1"), "the model is given -0.9")
    assert note.endswith(": pixel x (0.007843) + (-1).")


@pytest.mark.parametrize(
    ("brightness", "words"), [(4000, "lie outside"), (1, "fill less than a tenth of"), (255, None)]
)
def test_pixels_that_do_not_fit_the_declared_range_are_told(brightness: float, words: str | None) -> None:
    found = told(prepared(brightness, scale="0:1"), "the range of 0 to 255 that is scaled")
    assert [words in note for note in found if words] == ([True] if words else [])
    assert len(found) == (words is not None)


def test_a_model_no_better_than_chance_leads_to_its_scaling() -> None:
    """Images of 0 to 8 are all bright to a model of 0 to 1, so it names one class throughout."""
    (note,) = told(prepared(8, count=10), "no more than by always naming one class. If it was")
    assert note.startswith("The model is right in 5 of 10 cases")
    assert not told(prepared(8, count=6), "by always naming one class. ")
    findings = PythonCallable(likes_bright().scores, (8, 8, 1), exclusive=False)
    assert not told(
        prepared(8, count=10, model=LoadedModel("test", (findings,))), "by always naming one class. "
    )
    known = LoadedModel("test", (likes_bright(),), intensity=Intensity.RAW)
    assert not told(prepared(8, count=10, model=known), "by always naming one class. ")


def test_a_wrong_number_of_channels_is_one_sentence() -> None:
    with pytest.raises(XaibenchError, match="numbers for 3 channels, but the model takes 1"):
        prepared(preprocessing="torch")


def test_a_classifier_that_cannot_be_preprocessed_for_is_one_sentence() -> None:
    way = declared(scale="0:1")
    model = LoadedModel("test", (Preprocessed(likes_bright(), way),))
    with pytest.raises(XaibenchError, match="takes images as they are"):
        with_preprocessing(model, way)
