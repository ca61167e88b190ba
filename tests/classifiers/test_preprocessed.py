"""Preprocessing before a model: the same answers whether it stands among the layers or around the classifier."""

from typing import Any

import keras
import numpy as np
import pytest

from xaibench.api import Classifier, Need, NotApplicable, Preprocessing, XaibenchError
from xaibench.classifiers.callable import PythonCallable
from xaibench.classifiers.keras import KerasClassifier
from xaibench.classifiers.keras.outputs import with_one_output
from xaibench.classifiers.preprocessed import Preprocessed
from xaibench.models.tiny import tiny_classifier

LAYERS = keras.layers
FACTOR, OFFSET = (0.02, 0.015, 0.01), (-1.0, 0.2, 0.3)
IMAGES = (np.random.default_rng(0).random((3, 12, 10, 3)) * 255).astype(np.float32)
TARGETS = np.array([0, 2, 1])
SHAPE = IMAGES.shape[1:]

pytestmark = pytest.mark.usefixtures("untraced")


def seen_by_hand(images: np.ndarray, reverses: bool) -> np.ndarray:
    """What the model is given, channel by channel."""
    channels = [images[..., c] * FACTOR[c] + OFFSET[c] for c in range(3)]
    return np.stack(channels[::-1] if reverses else channels, axis=-1).astype(np.float32)


@pytest.fixture
def plain() -> KerasClassifier:
    return KerasClassifier(tiny_classifier(*SHAPE, classes=3))


@pytest.fixture(params=[False, True], ids=["in order", "reversed"])
def reverses(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(params=["among the layers", "around"])
def classifier(request: pytest.FixtureRequest, plain: KerasClassifier, reverses: bool) -> Classifier:
    preprocessing = Preprocessing(FACTOR, OFFSET, reverses)
    made = {"among the layers": plain.preprocessed, "around": lambda p: Preprocessed(plain, p)}
    return made[request.param](preprocessing)


def test_the_model_answers_for_what_it_is_given(
    classifier: Classifier, plain: KerasClassifier, reverses: bool
) -> None:
    seen = seen_by_hand(IMAGES, reverses)
    for question in ("scores", "logits", "features"):
        expected = getattr(plain, question)(seen)
        np.testing.assert_allclose(getattr(classifier, question)(IMAGES), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(classifier.remembered_scores(IMAGES[0]), plain.scores(seen)[0], rtol=1e-5)
    maps = plain.features(seen)
    np.testing.assert_allclose(
        classifier.logits_from_features(maps), plain.logits(seen), rtol=1e-4, atol=1e-6
    )


def test_masked_copies_are_mixed_before_they_are_preprocessed(
    classifier: Classifier, plain: KerasClassifier, reverses: bool
) -> None:
    masks = np.random.default_rng(1).random((5, *SHAPE[:-1])).astype(np.float32)
    mixed = masks[..., None] * IMAGES[0] + (1 - masks[..., None]) * IMAGES[1]
    found = classifier.masked_scores(IMAGES[0], masks, IMAGES[1])
    np.testing.assert_allclose(found, plain.scores(seen_by_hand(mixed, reverses)), rtol=1e-4)


def test_gradients_are_those_of_the_image(
    classifier: Classifier, plain: KerasClassifier, reverses: bool
) -> None:
    """The chain rule, written again: channel c of the image is channel 2 - c of what the model takes, if reversed."""
    inner = plain.input_gradients(seen_by_hand(IMAGES, reverses), TARGETS)
    expected = np.stack([inner[..., 2 - c if reverses else c] * FACTOR[c] for c in range(3)], axis=-1)
    np.testing.assert_allclose(classifier.input_gradients(IMAGES, TARGETS), expected, rtol=1e-4, atol=1e-9)


def test_gradients_agree_with_small_steps_of_a_pixel() -> None:
    """A linear model in logits: a step of a pixel changes the logit by gradient times step."""
    image = keras.Input((2, 2, 3))
    logits = LAYERS.Dense(2, kernel_initializer=keras.initializers.RandomNormal(seed=1))(
        LAYERS.Flatten()(image)
    )
    model = KerasClassifier(keras.Model(image, LAYERS.Softmax()(logits)))
    classifier = Preprocessed(model, Preprocessing(FACTOR, OFFSET, reverses_channels=True))
    pixels = IMAGES[:1, :2, :2]
    gradient = classifier.input_gradients(pixels, np.array([1]))[0]
    before = classifier.logits(pixels)[0, 1]
    for place in np.ndindex(2, 2, 3):
        moved = pixels.copy()
        moved[(0, *place)] += 10
        assert classifier.logits(moved)[0, 1] - before == pytest.approx(
            10 * gradient[place], rel=1e-2, abs=1e-5
        )


def test_every_rule_gives_the_same_around_as_among_the_layers(plain: KerasClassifier, reverses: bool) -> None:
    preprocessing = Preprocessing(FACTOR, OFFSET, reverses)
    among, around = plain.preprocessed(preprocessing), Preprocessed(plain, preprocessing)
    assert among.backward_rules == around.backward_rules != frozenset()
    for rule in sorted(around.backward_rules):
        found = around.relevance(IMAGES, TARGETS, rule, 0 * IMAGES[0])
        expected = among.relevance(IMAGES, TARGETS, rule, 0 * IMAGES[0])
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7, err_msg=rule)


def test_feature_gradients_and_random_layers_are_the_models(
    classifier: Classifier, plain: KerasClassifier, reverses: bool
) -> None:
    seen = seen_by_hand(IMAGES, reverses)
    for found, expected in zip(
        classifier.feature_gradients(IMAGES, TARGETS), plain.feature_gradients(seen, TARGETS), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)
    assert classifier.random_layers == plain.random_layers
    last = plain.random_layers[0]
    fresh = classifier.randomised(3, last).scores(IMAGES)
    np.testing.assert_allclose(fresh, plain.randomised(3, last).scores(seen), rtol=1e-4)


def test_each_evaluation_counts_once(plain: KerasClassifier) -> None:
    around = Preprocessed(plain, Preprocessing((1.0,), (0.0,)))
    before = around.passes
    around.scores(IMAGES)
    around.input_gradients(IMAGES, TARGETS)
    assert (around.passes.forward - before.forward, around.passes.backward - before.backward) == (6, 3)


def test_another_preprocessing_is_another_model(plain: KerasClassifier) -> None:
    ways = [Preprocessing((1.0,), (0.0,)), Preprocessing((2.0,), (0.0,)), Preprocessing((1.0,), (0.0,), True)]
    for made in (plain.preprocessed, lambda way: Preprocessed(plain, way)):
        prints = {made(way).fingerprint for way in ways}
        assert len(prints | {plain.fingerprint}) == 4
        assert made(ways[1]).fingerprint in prints


def test_libraries_that_call_the_model_see_the_preprocessing(plain: KerasClassifier) -> None:
    preprocessing = Preprocessing(FACTOR, OFFSET, reverses_channels=True)
    among, around = plain.preprocessed(preprocessing), Preprocessed(plain, preprocessing)
    lent = among.borrow_keras(0, 0)
    np.testing.assert_allclose(lent.model(IMAGES), around.logits(IMAGES), rtol=1e-4, atol=1e-6)
    assert Need.KERAS not in around.offers
    with pytest.raises(NotApplicable, match="preprocessed outside it"):
        around.borrow_keras(0, 0)


def test_folds_that_share_layers_are_preprocessed_for_from_outside() -> None:
    first = KerasClassifier(tiny_classifier(*SHAPE))
    second = first.sibling([weight + 0.5 for weight in first.model.get_weights()])
    way = Preprocessing((0.01,), (0.0,))
    for fold in (first, second):
        np.testing.assert_allclose(
            fold.preprocessed(way).scores(IMAGES), fold.scores(IMAGES * np.float32(0.01)), rtol=1e-5
        )


def test_functions_are_preprocessed_for_too() -> None:
    given: list[float] = []

    def scores(images: np.ndarray) -> np.ndarray:
        given.append(float(images.max()))
        return np.full((len(images), 2), 0.5)

    made = PythonCallable(scores, SHAPE).preprocessed(Preprocessing((1 / 255,), (0.0,)))
    made.scores(np.full((1, *SHAPE), 255, np.float32))
    assert given[-1] == pytest.approx(1)
    assert made.verify(IMAGES) == []
    assert isinstance(made, Classifier)


# ---------------------------------------------------------------- what the model's own first layers were made for


def begins_with(*layers: Any) -> KerasClassifier:
    last = [LAYERS.Flatten(), LAYERS.Dense(2, activation="softmax")]
    return KerasClassifier(keras.Sequential([keras.Input((4, 4, 1)), *layers, *last]))


def normalising() -> Any:
    layer = LAYERS.Normalization(mean=100.0, variance=400.0)
    layer.build((None, 4, 4, 1))
    return layer


RAMP = np.linspace(0, 1, 32, dtype=np.float32).reshape(2, 4, 4, 1)


@pytest.mark.parametrize(
    ("layers", "highest", "suits"),
    [
        ([LAYERS.Rescaling(1 / 255)], 255, True),
        ([LAYERS.Rescaling(1 / 255)], 4000, False),
        ([LAYERS.Rescaling(1 / 255)], 1, False),
        ([LAYERS.Rescaling(1 / 127.5, offset=-1)], 255, True),
        ([LAYERS.Rescaling(1 / 127.5, offset=-1)], 1, False),
        ([LAYERS.Rescaling(255.0)], 1, True),
        ([LAYERS.Rescaling(255.0)], 255, False),
        ([normalising()], 255, True),
        ([normalising()], 4000, False),
        ([], 4000, True),
    ],
)
def test_images_that_the_first_layers_were_not_made_for_are_told(
    layers: list[Any], highest: float, suits: bool
) -> None:
    notes = begins_with(*layers).verify(RAMP * highest)
    assert [f"0 to {highest}" in note and "--scale" in note for note in notes] == ([] if suits else [True])


def test_what_is_declared_is_no_layer_of_the_models_own() -> None:
    wide = Preprocessing((1000.0,), (0.0,))
    assert begins_with().preprocessed(wide).verify(RAMP) == []
    (note,) = begins_with(LAYERS.Rescaling(1 / 255)).preprocessed(wide).verify(RAMP)
    assert "0 to 1000" in note
    assert (
        begins_with(LAYERS.Rescaling(1 / 255)).preprocessed(Preprocessing((255.0,), (0.0,))).verify(RAMP)
        == []
    )


# ---------------------------------------------------------------- several outputs


def two_headed() -> Any:
    image = keras.Input((4, 4, 1))
    x = LAYERS.Flatten()(image)
    heads = [LAYERS.Dense(k, activation="softmax", name=name)(x) for k, name in ((2, "grade"), (3, "stage"))]
    return keras.Model(image, heads)


@pytest.mark.parametrize(("wanted", "classes"), [("grade", 2), ("stage", 3), ("0", 2), ("1", 3)])
def test_an_output_is_chosen_by_name_or_number(wanted: str, classes: int) -> None:
    model = two_headed()
    chosen = KerasClassifier(with_one_output(model, wanted))
    assert chosen.n_classes == classes
    np.testing.assert_allclose(chosen.scores(RAMP), model(RAMP)[classes - 2], rtol=1e-5)


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (None, r"The model has 2 outputs: grade, stage; choose one with --output NAME\."),
        ("stag", "There is no output 'stag'; did you mean 'stage'"),
        ("2", "There is no output '2'"),
    ],
)
def test_an_output_that_is_not_there_is_one_sentence(wanted: str | None, sentence: str) -> None:
    with pytest.raises(XaibenchError, match=sentence):
        with_one_output(two_headed(), wanted)


def test_a_model_of_one_output_is_left_as_it_is() -> None:
    model = tiny_classifier()
    assert with_one_output(model, None) is model
