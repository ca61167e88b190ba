"""Attention and its gradients: by their definition, batched and counted as all else, or refused with the reason."""

import keras
import numpy as np
import pytest

from tests.classifiers.attention_models import Change, attentive_resnet, slow_transformer, transformer
from tests.closed_form import images, small_resnet
from xaibench.api import Need, NotApplicable
from xaibench.classifiers.keras import KerasClassifier

LAYERS = keras.layers
STEP = 1e-5


@pytest.fixture(scope="module", params=[False, True], ids=["pooled tokens", "class token"])
def classifier(request: pytest.FixtureRequest) -> KerasClassifier:
    return transformer(class_token=request.param)


def numeric_gradient(classifier: KerasClassifier, image: np.ndarray, target: int, change: Change) -> float:
    """Central difference of the logit when one entry of a layer's attention is changed."""
    logits = [slow_transformer(classifier.model, image, change._replace(by=by))[1] for by in (STEP, -STEP)]
    return float((logits[0] - logits[1])[target] / (2 * STEP))


def test_attention_is_that_of_a_forward_pass_written_out(classifier: KerasClassifier) -> None:
    x = images(classifier, 3)
    attention, _ = classifier.attention(x, np.array([0, 1, 0]))
    assert attention.shape[:3] == (2, 3, 2)
    assert np.ptp(attention, axis=-1).max() > 0.3  # not nearly uniform
    for number, image in enumerate(x):
        expected, logits = slow_transformer(classifier.model, image)
        np.testing.assert_allclose(attention[:, number], expected, atol=1e-5)
        np.testing.assert_allclose(classifier.logits(image), logits, atol=1e-4)


def test_gradients_are_how_the_targets_logit_changes_with_the_attention(classifier: KerasClassifier) -> None:
    x, targets = images(classifier, 2), np.array([1, 0])
    attention, gradients = classifier.attention(x, targets)
    layers, count, *sizes = attention.shape
    rng = np.random.default_rng(0)
    for layer, number, *place in rng.integers(0, [layers, count, *sizes], size=(40, 5)).tolist():
        change = Change(layer, tuple(place), 0)
        expected = numeric_gradient(classifier, x[number], int(targets[number]), change)
        found = gradients[(layer, number, *place)]
        assert found == pytest.approx(expected, rel=1e-3, abs=1e-5 * float(np.abs(gradients).max()))


def test_a_row_of_attention_sums_to_one(classifier: KerasClassifier) -> None:
    attention, _ = classifier.attention(images(classifier, 2), np.array(0))
    np.testing.assert_allclose(attention.sum(axis=-1), 1, atol=1e-5)


def test_attention_comes_in_batches_traced_once_and_counted(classifier: KerasClassifier) -> None:
    x, targets = images(classifier, 7), np.arange(7) % 2
    together = classifier.attention(x, targets)
    small = KerasClassifier(classifier.model, batch_size=3)
    for found, expected in zip(small.attention(x, targets), together, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    for count in (1, 2):
        small.attention(x[:count], targets[:count])
    assert small.passes[:2] == (10, 10)
    assert small._compiled["attention"].experimental_get_tracing_count() == 1


def test_leading_axes_are_made_one(classifier: KerasClassifier) -> None:
    x = images(classifier, 4)
    found, _ = classifier.attention(x.reshape(2, 2, *x.shape[1:]), np.array([0, 1]))
    np.testing.assert_allclose(found, classifier.attention(x, np.array([0, 1, 0, 1]))[0], atol=1e-6)


def test_attention_of_a_nested_model_is_found() -> None:
    plain = transformer()
    outer = keras.Sequential([keras.Input(plain.input_shape), LAYERS.Rescaling(0.5), plain.model])
    x, targets = images(plain, 2), np.array([0, 1])
    pairs = zip(KerasClassifier(outer).attention(2 * x, targets), plain.attention(x, targets), strict=True)
    for found, expected in pairs:
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_randomised_layers_attend_otherwise() -> None:
    classifier = transformer()
    x, target = images(classifier, 1), np.array(0)
    before, _ = classifier.attention(x, target)
    other = classifier.randomised(0, "attention0")
    assert np.abs(other.attention(x, target)[0] - before).max() > 0.01
    np.testing.assert_allclose(classifier.attention(x, target)[0], before, atol=1e-6)


def built(calls: str) -> KerasClassifier:
    """Tokens of two images halves, which attend as the name says."""
    inputs = keras.Input((4, 4, 1))
    tokens = LAYERS.Reshape((8, 2))(inputs)
    first, second = tokens[:, :4], tokens[:, 4:]
    x = {
        "to others": lambda: LAYERS.MultiHeadAttention(2, 2, name="cross")(first, second),
        "along an axis": lambda: LAYERS.MultiHeadAttention(2, 2, attention_axes=1, name="axial")(
            LAYERS.Reshape((2, 4, 2))(tokens), LAYERS.Reshape((2, 4, 2))(tokens)
        ),
        "in two sizes": lambda: (
            LAYERS.MultiHeadAttention(2, 2)(first, first) + LAYERS.MultiHeadAttention(1, 2)(second, second)
        ),
        "by keywords": lambda: LAYERS.MultiHeadAttention(2, 2)(query=tokens, value=tokens, key=tokens),
        "and shows it": lambda: LAYERS.MultiHeadAttention(2, 2)(tokens, tokens, return_attention_scores=True)[
            1
        ],
    }[calls]()
    outputs = LAYERS.Dense(2, activation="softmax")(LAYERS.Flatten()(x))
    return KerasClassifier(keras.Model(inputs, outputs))


@pytest.mark.parametrize("calls", ["by keywords", "and shows it"])
def test_however_a_layer_is_called_its_attention_is_found(calls: str) -> None:
    classifier = built(calls)
    assert Need.ATTENTION in classifier.offers
    attention, gradients = classifier.attention(images(classifier, 2), np.array(1))
    assert attention.shape == gradients.shape == (1, 2, 2, 8, 8)
    assert np.abs(gradients).max() > 0


@pytest.mark.parametrize(
    ("classifier", "reason"),
    [
        (small_resnet, r"no keras\.layers\.MultiHeadAttention, so it has no attention"),
        (attentive_resnet, r"no keras\.layers\.MultiHeadAttention, so it has no attention"),
        (lambda: built("to others"), r"layer 'cross' does not attend from a sequence of tokens to the same"),
        (lambda: built("along an axis"), r"layer 'axial' does not attend from a sequence of tokens"),
        (lambda: built("in two sizes"), r"differ in \(heads, tokens\): \[\(1, 4\), \(2, 4\)\]"),
    ],
)
def test_a_model_without_such_attention_does_not_offer_it(classifier, reason: str) -> None:  # type: ignore[no-untyped-def]
    refused = classifier()
    assert Need.ATTENTION not in refused.offers
    with pytest.raises(NotApplicable, match=reason):
        refused.attention(images(refused, 1), np.array(0))
