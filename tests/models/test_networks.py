"""The networks: size, alignment of their maps, and that training learns what can be learnt."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from scipy.ndimage import correlate
from scipy.special import expit

from xaibench.api import Need
from xaibench.classifiers.keras import KerasClassifier
from xaibench.models.cbam_resnet import attended, cbam_resnet
from xaibench.models.compact_resnet import compact_resnet
from xaibench.models.compact_vit import compact_vit, pretrained_vit
from xaibench.models.resnet50 import resnet50
from xaibench.models.supervised import Schedule, train, varied


@pytest.fixture(scope="module")
def compact() -> KerasClassifier:
    keras.utils.set_random_seed(0)
    return KerasClassifier(compact_resnet())


def test_the_compact_network_is_compact(compact: KerasClassifier) -> None:
    assert 0.15e6 < compact.model.count_params() < 0.3e6
    assert compact.input_shape == (128, 128, 1)
    assert compact.default_layer == "block4"
    weights = compact.head_weights()
    assert weights is not None
    assert weights.shape == (96, 2)


@pytest.mark.parametrize(
    "network", [compact_resnet, cbam_resnet, lambda size: compact_vit(compact_resnet(size))]
)
def test_maps_lie_on_what_they_see(network: Callable[[int], Any]) -> None:
    """With mirror-symmetric kernels, a mirrored image gives mirrored maps only if no stage shifts."""
    keras.utils.set_random_seed(0)
    classifier = KerasClassifier(network(32))
    symmetric = [
        w + w[:, ::-1] + w[::-1] + w[::-1, ::-1] if w.ndim == 4 else w for w in classifier.model.get_weights()
    ]
    classifier.model.set_weights(symmetric)
    image = np.random.default_rng(0).random((1, 32, 32, 1), dtype=np.float32)
    maps, mirrored = classifier.features(image), classifier.features(image[:, ::-1, ::-1])
    np.testing.assert_allclose(mirrored[:, ::-1, ::-1], maps, rtol=1e-3, atol=1e-4 * maps.max())


def test_the_transformer_has_a_token_for_each_8_pixels_row_by_row() -> None:
    keras.utils.set_random_seed(0)
    classifier = KerasClassifier(pretrained_vit())
    assert 0.1e6 < classifier.model.count_params() < 0.3e6
    assert classifier.default_layer == "tokens_as_maps"
    assert classifier.head_weights() is not None
    images = np.zeros((2, 128, 128, 1), np.float32)
    assert classifier.attention(images, np.array(0))[0].shape == (2, 2, 2, 256, 256)
    images[1, 80:88, 16:24] = 1  # row 10, column 2
    tokens = next(step.output for step in classifier.graph.steps if step.name == "tokens")
    dark, bright = np.asarray(classifier.graph.inner(tokens)(images)[0])
    assert np.abs(bright - dark).sum(axis=1).argmax() == 10 * 16 + 2


def test_the_resnet_with_attention_keeps_the_layers_of_the_one_without() -> None:
    classifier = KerasClassifier(cbam_resnet(32))
    assert classifier.default_layer == "block4"
    assert classifier.head_weights() is not None
    assert Need.ATTENTION not in classifier.offers  # that is attention between tokens
    plain, more = compact_resnet(32).count_params(), classifier.model.count_params()
    assert plain < more < 1.1 * plain


def test_attention_weighs_channels_then_pixels_as_in_the_paper() -> None:
    """Equations 2 and 3 of Woo et al. 2018, in NumPy."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6, 7, 16))
    model = keras.Model(inputs, attended(inputs, "block"))
    first, second, third, fourth, kernel = model.get_weights()
    maps = np.random.default_rng(0).normal(size=(6, 7, 16))
    pooled = (maps.mean(axis=(0, 1)), maps.max(axis=(0, 1)))
    of_channels = expit(sum(np.maximum(each @ first + second, 0) @ third + fourth for each in pooled))
    maps = maps * of_channels
    two = (maps.mean(axis=-1), maps.max(axis=-1))
    of_pixels = expit(sum(correlate(each, kernel[:, :, i, 0], mode="constant") for i, each in enumerate(two)))
    found = np.asarray(model((maps / of_channels)[None].astype(np.float32)))[0]
    np.testing.assert_allclose(found, maps * of_pixels[..., None], rtol=1e-4, atol=1e-5)


def test_the_intensity_scale_of_the_scanner_does_not_matter(compact: KerasClassifier) -> None:
    image = np.random.default_rng(0).random((1, 128, 128, 1), dtype=np.float32) * 800
    np.testing.assert_allclose(compact.scores(image), compact.scores(image * 2 + 300), atol=1e-3)


@pytest.mark.nightly
def test_training_learns_and_weights_the_rare_class() -> None:
    rng = np.random.default_rng(0)
    labels = np.array([0] * 36 + [1] * 12)
    images = rng.normal(size=(48, 32, 32, 1)).astype(np.float32)
    images[labels == 1, 10:22, 10:22] += 3
    keras.utils.set_random_seed(0)
    model = compact_resnet(32)
    schedule = Schedule(epochs=8, batch=16)
    train(model, images, labels, schedule, range(schedule.epochs))
    predicted = KerasClassifier(model).scores(images).argmax(axis=1)
    assert (predicted[labels == 0] == 0).mean() > 0.8
    assert (predicted[labels == 1] == 1).mean() > 0.8


def test_training_is_repeatable() -> None:
    rng = np.random.default_rng(0)
    images, labels = rng.normal(size=(8, 32, 32, 1)).astype(np.float32), np.arange(8) % 2
    scores = []
    for _ in range(2):
        keras.utils.set_random_seed(1)
        model = keras.Sequential(
            [
                keras.Input((32, 32, 1)),
                keras.layers.Conv2D(4, 3, activation="relu"),
                keras.layers.GlobalAveragePooling2D(),
                keras.layers.Dropout(0.3),
                keras.layers.Dense(2, activation="softmax"),
            ]
        )
        train(model, images, labels, Schedule(epochs=1, batch=4), range(1))
        scores.append(KerasClassifier(model).scores(images))
    assert np.ptp(scores[0]) > 0
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-4)


def test_variants_keep_shape_and_leave_the_images_alone() -> None:
    images = np.random.default_rng(0).random((4, 16, 16, 1), dtype=np.float32)
    copy = images.copy()
    changed = varied(images, np.random.default_rng(1))
    assert changed.shape == images.shape
    assert changed.dtype == np.float32
    np.testing.assert_array_equal(images, copy)
    assert (changed != images).any(axis=(1, 2, 3)).all()


def test_resnet50_offers_everything_at_224_pixels() -> None:
    classifier = KerasClassifier(resnet50())
    assert classifier.input_shape == (224, 224, 3)
    assert classifier.default_layer == "conv5_block3_out"
    weights = classifier.head_weights()
    assert weights is not None
    assert weights.shape == (2048, 2)
