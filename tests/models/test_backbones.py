"""Backbones: weights that exist, weights that do not, and the pretext that knows no recurrence."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.models.test_samples_and_folds import FourPatients
from xaibench.api import Silent, Volume, XaibenchError
from xaibench.models import backbones, pretext
from xaibench.models.backbones import make_backbone
from xaibench.models.pretext import Lessons, measured, pretrain


def test_random_weights_are_the_same_each_time() -> None:
    first, second = (make_backbone("compact", "none") for _ in range(2))
    assert first.fingerprint() == second.fingerprint()
    assert first.input_shape == (128, 128, 1)
    assert first.origin == "random (seed 0)"
    assert not first.model.trainable_variables


def test_weights_are_taken_from_a_file(tmp_path: Path) -> None:
    source = make_backbone("compact", "none")
    source.model.set_weights([weight + 1 for weight in source.model.get_weights()])
    path = tmp_path / "mine.weights.h5"
    source.model.save_weights(path)
    loaded = make_backbone("compact", str(path))
    assert loaded.fingerprint() == source.fingerprint()
    assert loaded.origin == "file mine.weights.h5"


@pytest.mark.parametrize(
    ("name", "weights", "sentence"),
    [
        ("vgg", None, "There is no backbone 'vgg'; known: compact, resnet50"),
        ("compact", "imagenet", "no ImageNet weights for the compact backbone"),
        ("resnet50", "pretext", "Pretext weights exist for the compact backbone only"),
        ("compact", "nowhere.h5", "There is no weights file nowhere.h5"),
    ],
)
def test_weights_that_do_not_exist_are_one_sentence(name: str, weights: str | None, sentence: str) -> None:
    with pytest.raises(XaibenchError, match=sentence):
        make_backbone(name, weights)


def test_a_file_of_something_else_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "other.weights.h5"
    path.write_bytes(b"no weights")
    with pytest.raises(XaibenchError, match="does not hold weights of this backbone"):
        make_backbone("compact", str(path))


def test_without_a_network_the_file_and_the_option_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> str:
        raise Exception("URL fetch failure")  # it is what Keras raises

    monkeypatch.setattr(keras.utils, "get_file", fail)
    with pytest.raises(
        XaibenchError, match=r"cannot be downloaded \(URL fetch failure\); fetch https://.*--weights"
    ):
        backbones.imagenet_file()


def test_resnet50_ends_in_sixteen_blocks_and_standardises_its_input() -> None:
    backbone = make_backbone("resnet50", "none")
    assert len(backbone.ends) == 16
    assert backbone.ends[-1] == "conv5_block3_out"
    image = np.random.default_rng(0).random((1, 224, 224, 3), dtype=np.float32)
    scaled = keras.Model(backbone.model.input, backbone.model.get_layer("imagenet_scale").output)
    out = keras.ops.convert_to_numpy(scaled(image * 900 + 5))
    assert out.mean() == pytest.approx(0, abs=0.1)
    assert out.std() == pytest.approx(58, rel=0.01)


def test_a_tumour_is_measured_in_closed_form() -> None:
    image = np.zeros((8, 8, 1), np.float32)
    image[::2] = 2
    mask = np.zeros((8, 8), bool)
    mask[2:6, 2:6] = True
    size, irregularity, unevenness = measured(image, mask)
    assert size == 4
    assert irregularity == 1
    assert unevenness == 1
    mask[2, 2] = False  # a notch leaves the outline as long, on a smaller area
    assert measured(image, mask)[1] == pytest.approx(4 / np.sqrt(15))
    assert measured(image, ~mask & mask) == measured(image, None) == (0, 0, 0)


@pytest.mark.nightly
def test_pre_training_changes_the_maps_and_returns_the_part_that_makes_them() -> None:
    rng = np.random.default_rng(0)
    tumour = (np.arange(12) % 2).astype(np.float32)[:, None]
    images = rng.normal(size=(12, 32, 32, 1)).astype(np.float32)
    taught = Lessons(images, tumour, rng.random((12, 1), np.float32), tumour.repeat(3, axis=1))
    first = pretrain(taught, Silent(), epochs=1)
    assert first.output_shape[-1] == 96
    untrained = pretrain(taught, Silent(), epochs=0)
    assert any(
        abs(a - b).max() > 1e-4 for a, b in zip(first.get_weights(), untrained.get_weights(), strict=True)
    )


class Relabelled(FourPatients):
    """The same patients, all of one class."""

    def __init__(self, label: int | None = None) -> None:
        self.label = label

    def volumes(self) -> Iterator[Volume]:
        for volume in super().volumes():
            yield volume if self.label is None else replace(volume, labels=(self.label,))


def give_cohort(monkeypatch: pytest.MonkeyPatch, cohort: Relabelled) -> None:
    monkeypatch.setattr(pretext, "cohort", lambda _: cohort)


def test_the_lessons_are_the_same_whatever_the_recurrence_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    taught = []
    for label in (None, 0, 1):
        give_cohort(monkeypatch, Relabelled(label))
        taught.append(pretext.lessons())
    assert taught[0].tumour[:, 0].tolist() == [0, 1, 1, 1, 1] * 3 + [0] * 5
    np.testing.assert_allclose(taught[0].level[:5, 0], [0, 0.25, 0.5, 0.75, 1])
    for other in taught[1:]:
        for first, second in zip(taught[0], other, strict=True):
            np.testing.assert_array_equal(first, second)
