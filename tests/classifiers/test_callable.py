"""A Python function as a classifier: proves that the base needs nothing of Keras."""

import numpy as np
import pytest

from xaibench.api import Classifier, ClassifierFormat, Need, NotApplicable, Verifiable, XaibenchError
from xaibench.classifiers.callable import NamedFunction, PythonCallable

SPACES = [(4, 6, 1), (3, 4, 6, 2)]


def brightness(images: np.ndarray) -> np.ndarray:
    """Probability of class 1 = mean of the image."""
    mean = images.reshape(len(images), -1).mean(axis=1)
    return np.stack([1 - mean, mean], axis=1)


def corners(images: np.ndarray) -> np.ndarray:
    """Three findings that do not exclude each other."""
    return images.reshape(len(images), -1)[:, :3]


def made(count: int, space: tuple[int, ...] = SPACES[0]) -> np.ndarray:
    return np.random.default_rng(0).random((count, *space), dtype=np.float32)


@pytest.mark.parametrize("space", SPACES)
def test_slices_and_volumes_with_any_leading_axes_are_scored(space: tuple[int, ...]) -> None:
    classifier = PythonCallable(brightness, space, batch_size=4)
    images = made(6, space).reshape(2, 3, *space)
    mean = images.mean(axis=tuple(range(2, images.ndim)))
    np.testing.assert_allclose(classifier.scores(images), np.stack([1 - mean, mean], axis=-1), atol=1e-6)
    assert classifier.passes[:2] == (6, 0)
    assert classifier.n_classes == 2


@pytest.mark.parametrize("space", SPACES)
def test_masked_copies_are_made_a_batch_at_a_time(space: tuple[int, ...]) -> None:
    sizes = []

    def watched(images: np.ndarray) -> np.ndarray:
        sizes.append(len(images))
        return brightness(images)

    classifier = PythonCallable(watched, space, batch_size=8)
    masks = np.random.default_rng(1).random((20, *space[:-1])) < 0.5
    image, baseline = made(2, space)
    scores = classifier.masked_scores(image, masks, baseline)
    assert sizes == [6, 7, 7]
    composed = np.where(masks[..., None], image, baseline)
    np.testing.assert_allclose(scores, brightness(composed), atol=1e-6)


def test_logits_are_read_back_from_exclusive_classes_as_log_p() -> None:
    classifier = PythonCallable(brightness, SPACES[0])
    images = made(3)
    logits = classifier.logits(images)
    np.testing.assert_allclose(logits, np.log(brightness(images)), rtol=1e-5)
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(softmax, classifier.scores(images), atol=1e-6)


def test_logits_are_read_back_from_findings_as_log_odds() -> None:
    classifier = PythonCallable(corners, SPACES[0], exclusive=False)
    images = made(3)
    p = corners(images)
    np.testing.assert_allclose(classifier.logits(images), np.log(p / (1 - p)), rtol=1e-4)


def test_certain_scores_give_finite_logits() -> None:
    for exclusive in (True, False):
        classifier = PythonCallable(lambda images: np.eye(2)[[0] * len(images)], SPACES[0], exclusive)
        assert np.isfinite(classifier.logits(made(2))).all()


@pytest.mark.parametrize(
    ("ask", "need"),
    [
        (lambda c, x, t: c.input_gradients(x, t), Need.INPUT_GRADIENTS),
        (lambda c, x, t: c.features(x), Need.FEATURES),
        (lambda c, x, t: c.feature_gradients(x, t), Need.FEATURE_GRADIENTS),
        (lambda c, x, t: c.logits_from_features(x), Need.LOGITS_FROM_FEATURES),
        (lambda c, x, t: c.relevance(x, t, "guided"), Need.BACKWARD_RULES),
        (lambda c, x, t: c.attention(x, t), Need.ATTENTION),
        (lambda c, x, t: c.randomised(0, "any"), Need.RANDOMISED),
        (lambda c, x, t: c.borrow_keras(0, 0), Need.KERAS),
    ],
)
def test_what_a_function_cannot_give_is_not_applicable_with_a_sentence(ask, need: Need) -> None:
    classifier = PythonCallable(brightness, SPACES[0])
    assert need not in classifier.offers
    with pytest.raises(NotApplicable, match=f"gives scores only, no {need.value}"):
        ask(classifier, made(2), np.array([0, 1]))


def test_a_remembered_image_is_predicted_once() -> None:
    calls = []
    classifier = PythonCallable(lambda x: calls.append(len(x)) or brightness(x), SPACES[0])
    image = made(1)[0]
    for _ in range(3):
        np.testing.assert_allclose(classifier.remembered_scores(image), brightness(image[None])[0])
    assert calls == [1]
    assert classifier.passes.forward == 3


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: x, r"returned \(2, 4, 6, 1\) for 2 images"),
        (lambda x: np.ones((1, 2)), r"returned \(1, 2\) for 2 images"),
        (lambda x: 3 * brightness(x), "between 0 and 1 that sum to 1"),
        (lambda x: brightness(x) / 2, "between 0 and 1 that sum to 1"),
    ],
)
def test_what_are_no_probabilities_is_one_sentence(function, message: str) -> None:
    with pytest.raises(XaibenchError, match=message):
        PythonCallable(function, SPACES[0]).scores(made(2))


def test_nan_is_an_error_and_images_of_another_size_are_refused() -> None:
    classifier = PythonCallable(lambda x: np.full((len(x), 2), np.nan), SPACES[0])
    with pytest.raises(FloatingPointError, match="NaN"):
        classifier.scores(made(1))
    with pytest.raises(ValueError, match="but the model takes"):
        classifier.scores(made(1, (6, 4, 1)))


def test_fingerprint_changes_with_the_answers_alone() -> None:
    def weighted(weight: float) -> PythonCallable:
        return PythonCallable(lambda x: brightness(x * weight), SPACES[0])

    assert weighted(1.0).fingerprint == weighted(1.0).fingerprint
    assert weighted(1.0).fingerprint != weighted(0.5).fingerprint


def test_a_function_is_found_by_its_name() -> None:
    loaded = NamedFunction(f"{__name__}:brightness", "4,6,1").load()
    np.testing.assert_allclose(loaded.scores(made(2)), brightness(made(2)), atol=1e-6)
    assert isinstance(loaded, Classifier)
    assert isinstance(loaded, Verifiable)
    assert isinstance(NamedFunction("a:b", "1,1,1"), ClassifierFormat)


@pytest.mark.parametrize(
    ("function", "shape", "message"),
    [
        ("nothing.there:f", "4,6,1", "no function 'nothing.there:f'"),
        (f"{__name__}:missing", "4,6,1", "no function"),
        (f"{__name__}:SPACES", "4,6,1", "is a list, no function"),
        (f"{__name__}:brightness", "4x6", "not height,width,channels"),
        (f"{__name__}:brightness", "0,6,1", "not height,width,channels"),
    ],
)
def test_a_wrong_name_or_shape_is_one_sentence(function: str, shape: str, message: str) -> None:
    with pytest.raises(XaibenchError, match=message):
        NamedFunction(function, shape).load()
