"""The Keras wrapper: what it computes, how it batches, what it counts, what it refuses."""

from pathlib import Path

import keras
import numpy as np
import pytest

from tests.closed_form import images, linear, pooled, small_resnet
from xaibench.api import Need, NotApplicable, XaibenchError
from xaibench.classifiers.batches import default_batch_size, even_parts
from xaibench.classifiers.keras import KerasClassifier, load_keras


def test_scores_are_those_of_the_keras_model() -> None:
    classifier = small_resnet()
    batch = images(classifier, 5)
    np.testing.assert_allclose(
        classifier.scores(batch), classifier.model.predict(batch, verbose=0), atol=1e-6
    )


def test_leading_axes_are_flattened_and_put_back() -> None:
    classifier = small_resnet()
    batch = images(classifier, 6)
    folded = batch.reshape(2, 3, *classifier.input_shape)
    np.testing.assert_allclose(classifier.scores(folded).reshape(6, 2), classifier.scores(batch), atol=1e-6)
    targets = np.array([0, 1, 0])
    maps, gradients = classifier.feature_gradients(folded, targets)
    assert maps.shape == gradients.shape == (2, 3, 16, 16, 8)


@pytest.mark.parametrize("batch_size", [1, 2, 5, 64])
def test_batch_size_changes_no_score(batch_size: int) -> None:
    reference = small_resnet()
    batch = images(reference, 7)
    classifier = KerasClassifier(reference.model, batch_size=batch_size)
    np.testing.assert_allclose(classifier.scores(batch), reference.scores(batch), atol=1e-6)
    np.testing.assert_allclose(
        classifier.input_gradients(batch, np.zeros(7, int)),
        reference.input_gradients(batch, np.zeros(7, int)),
        atol=1e-6,
    )


@pytest.mark.parametrize(("count", "at_most"), [(50, 32), (1, 8), (64, 64), (65, 64), (0, 4), (21, 16)])
def test_parts_are_few_even_and_cover_everything(count: int, at_most: int) -> None:
    sizes = [part.stop - part.start for part in even_parts(count, at_most)]
    assert sum(sizes) == count
    assert len(sizes) == -(-count // at_most)
    assert not sizes or max(sizes) - min(sizes) <= 1


def test_input_gradient_of_a_linear_model_is_its_weights() -> None:
    weights = np.random.default_rng(0).normal(size=(4, 6, 1)).astype(np.float32)
    classifier = linear(weights)
    gradient = classifier.input_gradients(images(classifier, 2), np.array([1, 0]))
    np.testing.assert_allclose(gradient[0], weights, atol=1e-6)
    np.testing.assert_allclose(gradient[1], 0, atol=1e-6)


def test_trap_23_gradients_are_of_logits_so_two_classes_are_not_each_others_negative() -> None:
    classifier = small_resnet()
    batch = images(classifier, 1)
    first = classifier.input_gradients(batch, np.array([0]))
    second = classifier.input_gradients(batch, np.array([1]))
    assert np.abs(first + second).max() > 1e-3 * np.abs(first).max()


def test_sigmoid_unit_counts_as_two_logits_half_a_logit_each_way() -> None:
    model = keras.Sequential(
        [keras.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(1, activation="sigmoid")]
    )
    classifier = KerasClassifier(model)
    batch = images(classifier, 3)
    positive = model.predict(batch, verbose=0)[:, 0]
    np.testing.assert_allclose(
        classifier.scores(batch), np.stack([1 - positive, positive], axis=1), atol=1e-6
    )
    logits = classifier.logits(batch)
    np.testing.assert_allclose(logits[:, 1] - logits[:, 0], np.log(positive / (1 - positive)), atol=1e-5)


@pytest.mark.parametrize("tail", ["softmax layer", "activation layer", "linear output"])
def test_logits_are_found_however_the_softmax_is_written(tail: str) -> None:
    ends = {
        "softmax layer": [keras.layers.Softmax()],
        "activation layer": [keras.layers.Activation("softmax")],
        "linear output": [],
    }
    dense = keras.layers.Dense(3)
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), dense, *ends[tail]])
    classifier = KerasClassifier(model)
    batch = images(classifier, 2)
    expected = batch.reshape(2, 16) @ dense.kernel.numpy() + dense.bias.numpy()
    np.testing.assert_allclose(classifier.logits(batch), expected, atol=1e-5)
    np.testing.assert_allclose(classifier.scores(batch).sum(axis=1), 1, atol=1e-6)


def nested(inner: keras.Model) -> KerasClassifier:
    backbone = keras.Model(inner.input, inner.get_layer("block_end").output, name="backbone")
    middle = keras.Sequential([keras.Input(inner.input_shape[1:]), backbone], name="middle")
    head = [
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(2, activation="softmax"),
    ]
    return KerasClassifier(keras.Sequential([keras.Input(inner.input_shape[1:]), middle, *head]))


def test_trap_14_nested_backbones_are_opened_and_the_blocks_output_found() -> None:
    plain = small_resnet()
    classifier = nested(plain.model)
    assert classifier.default_layer == "block_end"
    batch = images(classifier, 3)
    np.testing.assert_allclose(
        classifier.scores(batch), classifier.model.predict(batch, verbose=0), atol=1e-6
    )
    np.testing.assert_allclose(classifier.features(batch), plain.features(batch), atol=1e-6)


def test_a_backbone_behind_a_preprocessing_layer_is_opened_too() -> None:
    plain = small_resnet()
    inputs = keras.Input((32, 32, 1))
    backbone = keras.Model(plain.model.input, plain.model.get_layer("block_end").output)
    x = keras.layers.GlobalAveragePooling2D()(backbone(keras.layers.Rescaling(0.5)(inputs)))
    classifier = KerasClassifier(keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(x)))
    batch = images(classifier, 3)
    np.testing.assert_allclose(
        classifier.scores(batch), classifier.model.predict(batch, verbose=0), atol=1e-6
    )
    np.testing.assert_allclose(classifier.features(batch), plain.features(batch / 2), atol=1e-6)


def test_default_layer_is_after_norm_and_addition_and_before_pooling() -> None:
    model = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            keras.layers.Conv2D(4, 3, padding="same", use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(name="end_of_block"),
            keras.layers.MaxPooling2D(),
            keras.layers.Dropout(0.1),
            keras.layers.Flatten(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    assert KerasClassifier(model).default_layer == "end_of_block"


@pytest.mark.parametrize("units", [1, 2])
def test_layers_named_like_keras_own_operations_do_no_harm(units: int) -> None:
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(2, 3, padding="same", name="softmax")(inputs)
    x = keras.layers.Add(name="add")([x, x])
    x = keras.layers.Flatten(name="concatenate")(x)
    activation = "sigmoid" if units == 1 else "softmax"
    outputs = keras.layers.Dense(units, activation=activation, name="matmul")(x)
    classifier = KerasClassifier(keras.Model(inputs, outputs))
    batch = images(classifier, 2)
    expected = classifier.model.predict(batch, verbose=0)
    np.testing.assert_allclose(classifier.scores(batch)[:, -1], expected[:, -1], atol=1e-6)
    assert classifier.borrow_keras(0, 0).layer == "add"


def test_head_weights_are_those_of_a_pooled_head_and_none_otherwise() -> None:
    head = np.array([[1.0, -2.0], [3.0, 0.5]])
    classifier = pooled(np.ones((1, 2)), head)
    np.testing.assert_allclose(classifier.head_weights(), head)
    assert linear(np.ones((4, 4, 1))).head_weights() is None


def test_feature_gradients_of_a_pooled_head_are_its_weights_over_the_pixels() -> None:
    head = np.array([[1.0, -2.0], [3.0, 0.5]])
    classifier = pooled(np.array([[1.0, 2.0]]), head, size=8)
    maps, gradients = classifier.feature_gradients(images(classifier, 2), np.array([0, 1]))
    np.testing.assert_allclose(maps[..., 1], 2 * maps[..., 0], atol=1e-6)
    np.testing.assert_allclose(gradients[0, 3, 3], head[:, 0] / 64, atol=1e-7)
    np.testing.assert_allclose(gradients[1, 0, 7], head[:, 1] / 64, atol=1e-7)


def test_a_model_without_convolution_offers_no_features() -> None:
    classifier = linear(np.ones((4, 4, 1)))
    assert Need.FEATURES not in classifier.offers
    assert Need.INPUT_GRADIENTS in classifier.offers
    with pytest.raises(NotApplicable, match="no convolutional layer"):
        classifier.features(images(classifier))


def test_unknown_layer_is_named_with_the_known_ones() -> None:
    classifier = small_resnet()
    with pytest.raises(XaibenchError, match=r"no layer 'nope'.*block_end"):
        classifier.features(images(classifier), layer="nope")


def test_masked_scores_equal_scores_of_the_composed_images() -> None:
    classifier = small_resnet()
    image, baseline = images(classifier, 2)
    masks = np.random.default_rng(1).random((150, 32, 32)).astype(np.float32)
    composed = masks[..., None] * image + (1 - masks[..., None]) * baseline
    np.testing.assert_allclose(
        classifier.masked_scores(image, masks, baseline), classifier.scores(composed), atol=1e-5
    )


def test_masked_scores_takes_masks_made_on_demand_a_batch_at_a_time() -> None:
    classifier = small_resnet()
    classifier.batch_size = 8
    asked: list[int] = []

    class Lazy:
        def __len__(self) -> int:
            return 20

        def __getitem__(self, index: slice) -> np.ndarray:
            asked.append(index.stop - index.start)
            return np.ones((index.stop - index.start, 32, 32), bool)

    image = images(classifier, 1)[0]
    scores = classifier.masked_scores(image, Lazy(), image * 0)
    assert asked == [6, 7, 7]
    np.testing.assert_allclose(scores, np.repeat(classifier.scores(image[None]), 20, axis=0), atol=1e-6)


def test_trap_13_masks_of_another_size_are_refused() -> None:
    classifier = small_resnet()
    image = images(classifier, 1)[0]
    with pytest.raises(ValueError, match=r"masks are \(16, 16\) but the image is \(32, 32\)"):
        classifier.masked_scores(image, np.ones((3, 16, 16), bool), image)


def test_trap_13_images_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="but the model takes"):
        small_resnet().scores(np.zeros((2, 16, 16, 1), np.float32))


def test_passes_of_a_randomised_model_are_passes_of_the_trained_one() -> None:
    classifier = small_resnet()
    other = classifier.randomised(0, classifier.random_layers[0])
    other.scores(images(classifier, 3))
    classifier.scores(images(classifier, 2))
    assert (other.passes.forward, classifier.passes.forward) == (3, 5)


def test_passes_are_counted_an_image_each() -> None:
    classifier = small_resnet()
    batch = images(classifier, 3)
    classifier.scores(batch)
    classifier.input_gradients(batch, np.zeros(3, int))
    classifier.masked_scores(batch[0], np.ones((5, 32, 32), bool), batch[1])
    assert classifier.passes[:2] == (11, 3)
    assert classifier.passes.seconds > 0


def test_a_remembered_image_is_predicted_once_and_counted_each_time() -> None:
    classifier = small_resnet()
    image = images(classifier, 1)[0]
    first = classifier.remembered_scores(image)
    spent = classifier.passes.seconds
    second = classifier.remembered_scores(image.copy())
    assert classifier.passes.forward == 2
    assert classifier.passes.seconds == spent
    np.testing.assert_array_equal(first, second)
    changed = image.copy()
    changed[0, 0, 0] += 0.5
    assert (classifier.remembered_scores(changed) != first).any()


def test_trap_24_each_function_is_traced_once() -> None:
    classifier = small_resnet()
    for count in (1, 2, 3, 7):
        batch = images(classifier, count)
        classifier.scores(batch)
        classifier.feature_gradients(batch, np.zeros(count, int))
        classifier.masked_scores(batch[0], np.ones((count, 32, 32), bool), batch[0])
    assert {name: f.experimental_get_tracing_count() for name, f in classifier._compiled.items()} == {
        "scores": 1,
        "feature gradients of block_end": 1,
        "masked scores": 1,
    }


def test_nan_scores_are_an_error_not_a_number() -> None:
    classifier = linear(np.ones((2, 2, 1)))
    with pytest.raises(FloatingPointError, match="NaN"):
        classifier.scores(images(classifier) * np.nan)


def test_fingerprint_survives_saving_and_changes_with_a_weight(tmp_path: Path) -> None:
    classifier = small_resnet()
    classifier.model.save(tmp_path / "m.keras")
    assert KerasClassifier(load_keras(tmp_path / "m.keras")).fingerprint == classifier.fingerprint
    weights = classifier.model.get_weights()
    weights[0] = weights[0] + 1
    classifier.model.set_weights(weights)
    assert (
        KerasClassifier(classifier.model).fingerprint
        != KerasClassifier(load_keras(tmp_path / "m.keras")).fingerprint
    )


def test_default_batch_size_follows_the_pixels() -> None:
    assert default_batch_size((128, 128, 1)) == 64
    assert default_batch_size((224, 224, 3)) == 16
    assert default_batch_size((2048, 2048, 1)) == 1


def test_models_that_are_no_image_classifiers_are_refused() -> None:
    table = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)])
    with pytest.raises(XaibenchError, match="classifier of images"):
        KerasClassifier(table)
    segmenter = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3, activation="softmax")])
    with pytest.raises(XaibenchError, match="one row of class scores"):
        _ = KerasClassifier(segmenter).n_classes


def test_siblings_answer_as_classifiers_of_their_own_and_share_every_trace() -> None:
    first, other = small_resnet(seed=0), small_resnet(seed=1)
    alone = [KerasClassifier(small_resnet(seed=seed).model) for seed in (0, 1)]
    pair = [first, first.sibling(other.model.get_weights())]
    batch, targets = images(first, 3), np.array([0, 1, 1])
    masks = np.ones((2, *batch.shape[1:3]), np.float32)
    for _ in range(2):  # in turns, so that each finds the other's weights in the model
        for mine, expected in zip(pair, alone, strict=True):
            np.testing.assert_allclose(mine.scores(batch), expected.scores(batch), atol=1e-6)
            np.testing.assert_allclose(mine.logits(batch), expected.logits(batch), atol=1e-6)
            np.testing.assert_allclose(mine.remembered_scores(batch[0]), expected.scores(batch[0]), atol=1e-6)
            np.testing.assert_allclose(
                mine.masked_scores(batch[0], masks, batch[1]),
                expected.masked_scores(batch[0], masks, batch[1]),
            )
            np.testing.assert_allclose(
                mine.input_gradients(batch, targets), expected.input_gradients(batch, targets), atol=1e-6
            )
            np.testing.assert_allclose(
                mine.feature_gradients(batch, targets)[1],
                expected.feature_gradients(batch, targets)[1],
                atol=1e-6,
            )
            np.testing.assert_array_equal(mine.head_weights(), expected.head_weights())
            np.testing.assert_allclose(
                mine.borrow_keras(0, 0).model(batch), expected.logits(batch), atol=1e-5
            )
            assert mine.fingerprint == expected.fingerprint
    counts = {name: f.experimental_get_tracing_count() for name, f in first._compiled.items()}
    assert set(counts.values()) == {1}
    assert pair[0].passes[:2] == pair[1].passes[:2]


def test_siblings_keep_one_copy_of_a_common_backbone() -> None:
    first = small_resnet()
    weights = first.model.get_weights()
    weights[-1] = weights[-1] + 1
    other = first.sibling([array.copy() for array in weights])
    assert [a is b for a, b in zip(first._weights, other._weights, strict=True)] == [True] * (
        len(weights) - 1
    ) + [False]
