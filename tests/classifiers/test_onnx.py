"""ONNX models: scores as onnxruntime gives them, whatever the channels, the batches and the ending."""

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

from onnx import TensorProto

from tests.classifiers.onnx_models import SIZE, save_model
from xaibench.api import Need, NotApplicable, XaibenchError
from xaibench.classifiers.onnx_file import OnnxFile
from xaibench.harness.contract.classifiers import EVERY_CLASSIFIER

FIRST = ("batch", 1, *SIZE)


def made(count: int, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(0).random((count, *SIZE, channels), dtype=np.float32)


def softmax(z: np.ndarray) -> np.ndarray:
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def two(p: np.ndarray) -> np.ndarray:
    return np.concatenate([1 - p, p], axis=1)


@pytest.mark.parametrize("check", EVERY_CLASSIFIER)
def test_every_promise_of_a_classifier_is_kept(check, tmp_path: Path) -> None:
    save_model(tmp_path / "m.onnx")
    classifier = OnnxFile(tmp_path / "m.onnx").load()
    try:
        check(classifier)
    except NotApplicable:
        assert classifier.offers == {Need.SCORES}


@pytest.mark.parametrize(
    ("shape", "channels", "told"),
    [
        (("batch", 1, *SIZE), 1, ""),
        (("batch", 3, *SIZE), 3, ""),
        (("batch", *SIZE, 3), 3, ""),
        (("batch", 8, *SIZE), 8, "first"),
        (("batch", *SIZE, 8), 8, "last"),
        ((4, 2, *SIZE), 2, ""),
    ],
)
def test_images_go_in_as_the_model_takes_them(shape: Any, channels: int, told: Any, tmp_path: Path) -> None:
    kernel = save_model(tmp_path / "m.onnx", shape=shape)
    classifier = OnnxFile(tmp_path / "m.onnx", channels=told).load()
    images = made(6, channels)
    ordered = images if shape[1:3] == SIZE else np.moveaxis(images, -1, 1)
    np.testing.assert_allclose(classifier.scores(images), softmax(ordered.reshape(6, -1) @ kernel), atol=1e-5)
    assert ("batches" in classifier.facts) == (shape[0] == 4)
    assert classifier.verify(images) == [classifier._reading.note]


@pytest.mark.parametrize(
    ("end", "units", "activation", "expected", "says"),
    [
        ("Softmax", 3, "", softmax, r"read back .*log p"),
        ("LogSoftmax", 3, "", softmax, "log-probabilities"),
        (None, 3, "", softmax, "taken as logits"),
        (None, 3, "sigmoid", sigmoid, "do not exclude"),
        ("Sigmoid", 3, "none", sigmoid, "do not exclude"),
        ("Sigmoid", 1, "", lambda z: two(sigmoid(z)), "log-odds"),
        (None, 1, "", lambda z: two(sigmoid(z)), "second of two"),
    ],
)
def test_trap_28_scores_are_the_models_own(end, units, activation, expected, says, tmp_path: Path) -> None:
    kernel = save_model(tmp_path / "m.onnx", end, units=units)
    classifier = OnnxFile(tmp_path / "m.onnx", activation=activation).load()
    images = made(5)
    right = expected(images.reshape(5, -1) @ kernel)
    np.testing.assert_allclose(classifier.scores(images), right, atol=1e-5)
    logits = classifier.logits(images)
    np.testing.assert_allclose(softmax(logits) if classifier.exclusive else sigmoid(logits), right, atol=1e-4)
    assert re.search(says, " ".join(classifier.verify(images)))


@pytest.mark.parametrize("dtype", [TensorProto.DOUBLE, TensorProto.FLOAT16])
def test_other_real_numbers_are_read(dtype: int, tmp_path: Path) -> None:
    kernel = save_model(tmp_path / "m.onnx", dtype=dtype)
    scores = OnnxFile(tmp_path / "m.onnx").load().scores(made(2))
    np.testing.assert_allclose(scores, softmax(made(2).reshape(2, -1) @ kernel), atol=5e-3)


def test_one_of_several_outputs_is_named(tmp_path: Path) -> None:
    kernel = save_model(tmp_path / "m.onnx", both=True)
    with pytest.raises(XaibenchError, match="several outputs; name one of scores, sums with --output"):
        OnnxFile(tmp_path / "m.onnx").load()
    chosen = OnnxFile(tmp_path / "m.onnx", output="sums").load()
    np.testing.assert_allclose(chosen.logits(made(2)), made(2).reshape(2, -1) @ kernel, atol=1e-5)
    assert chosen.fingerprint != OnnxFile(tmp_path / "m.onnx", output="scores").load().fingerprint


@pytest.mark.parametrize(
    ("options", "told", "message"),
    [
        ({"end": "Sigmoid"}, {}, "say what they are, --activation none"),
        ({"end": "Softmax"}, {"activation": "softmax"}, "would be a second one"),
        ({"shape": ("batch", 8, *SIZE)}, {}, "say --channels first or last"),
        ({"shape": ("batch", 1, "height", 30)}, {}, "export it for one"),
        ({"shape": ("batch", 30)}, {}, "a classifier takes one, images of real numbers"),
        ({"both": True}, {"output": "other"}, "no output 'other'"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(options: Any, told: Any, message: str, tmp_path: Path) -> None:
    save_model(tmp_path / "m.onnx", **options)
    with pytest.raises(XaibenchError, match=message):
        OnnxFile(tmp_path / "m.onnx", **told).load()


def test_a_missing_or_broken_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(XaibenchError, match="no model file"):
        OnnxFile(tmp_path / "m.onnx").load()
    (tmp_path / "m.onnx").write_bytes(b"broken")
    with pytest.raises(XaibenchError, match=r"m.onnx cannot be loaded by onnxruntime"):
        OnnxFile(tmp_path / "m.onnx").load()


def test_a_missing_package_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(
        XaibenchError, match=r"not installed; install it with `pip install 'xaibench\[onnx\]'`"
    ):
        OnnxFile(Path("m.onnx")).load()


def test_nothing_inside_can_be_asked_for(tmp_path: Path) -> None:
    save_model(tmp_path / "m.onnx")
    with pytest.raises(NotApplicable, match="gives scores only, no feature maps"):
        OnnxFile(tmp_path / "m.onnx").load().features(made(1))
