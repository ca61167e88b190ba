"""Models of strangers are read right, read back from their probabilities and said, or refused in one sentence."""

import json
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.classifiers.foreign_models import READ, READ_BACK, REFUSED, SIZE, Foreign, build, softmax
from tests.closed_form import small_resnet
from xaibench.api import AcceptsPaths, ClassifierFormat, Verifiable, XaibenchError
from xaibench.classifiers.keras import KerasClassifier, load_keras
from xaibench.classifiers.keras_file import KerasFile

LAYERS = keras.layers
IMAGES = np.random.default_rng(0).random((5, *SIZE), dtype=np.float32)


def named(table: list[Foreign]) -> Any:
    return pytest.mark.parametrize("foreign", table, ids=lambda foreign: foreign.name)


@named([*READ, *READ_BACK])
def test_trap_28_scores_equal_the_models_own_output(foreign: Foreign) -> None:
    model, sums = build(foreign)
    classifier = KerasClassifier(model)
    expected = foreign.scores(sums(IMAGES))
    np.testing.assert_allclose(classifier.scores(IMAGES), expected, atol=1e-5)
    assert classifier.exclusive == foreign.exclusive
    logits = classifier.logits(IMAGES)
    turned_back = softmax(logits) if foreign.exclusive else 1 / (1 + np.exp(-logits))
    np.testing.assert_allclose(turned_back, expected, atol=1e-5)
    notes = classifier.verify(IMAGES)
    assert len(notes) == bool(foreign.says)
    if foreign.says:
        with pytest.raises(AssertionError, match=foreign.says):
            raise AssertionError(notes[0])


@named([*READ, *READ_BACK])
def test_gradients_are_those_of_the_logits(foreign: Foreign) -> None:
    classifier = KerasClassifier(build(foreign)[0])
    image, step = IMAGES[:1], np.float32(1e-2)
    pixel = np.zeros_like(image)
    pixel[0, 2, 3, 0] = step
    for target in range(classifier.n_classes):
        rise = (classifier.logits(image + pixel) - classifier.logits(image - pixel))[0, target] / (2 * step)
        found = classifier.input_gradients(image, np.array([target]))[0, 2, 3, 0]
        np.testing.assert_allclose(found, rise, atol=5e-3)


@named(REFUSED)
def test_what_is_no_classifier_is_refused_in_one_sentence(foreign: Foreign) -> None:
    model, _ = build(foreign)
    with pytest.raises(XaibenchError, match=foreign.says):
        _ = KerasClassifier(model).n_classes


@named([READ[0], READ[2], READ[5], READ_BACK[0], READ_BACK[2]])
def test_files_are_read_as_the_models_in_them(foreign: Foreign, tmp_path: Path) -> None:
    model, sums = build(foreign)
    model.save(tmp_path / "m.keras")
    classifier = KerasFile(tmp_path / "m.keras").load()
    np.testing.assert_allclose(classifier.scores(IMAGES), foreign.scores(sums(IMAGES)), atol=1e-5)
    classifier.verify(IMAGES)
    assert classifier.fingerprint == KerasClassifier(load_keras(tmp_path / "m.keras")).fingerprint


def test_a_constant_in_an_operation_changes_the_fingerprint() -> None:
    def scaled(by: float) -> str:
        model, _ = build(Foreign("", 2, lambda z: keras.ops.softmax(z * by)))
        return KerasClassifier(model).fingerprint

    assert scaled(2.0) == scaled(2.0)
    assert scaled(2.0) != scaled(3.0)


# ---------------------------------------------------------------- what cannot be read


def test_channels_first_are_refused_by_the_layer() -> None:
    inputs = keras.Input((1, 8, 8))
    x = LAYERS.GlobalAveragePooling2D(data_format="channels_first", name="pool")(inputs)
    with pytest.raises(XaibenchError, match="'pool' takes the channels first"):
        _ = KerasClassifier(keras.Model(inputs, LAYERS.Dense(2, activation="softmax")(x))).n_classes


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused_by_name(value: float) -> None:
    model, _ = build(READ[0])
    model.set_weights([np.full_like(weight, value) for weight in model.get_weights()])
    with pytest.raises(XaibenchError, match=r"Weight '.*kernel' holds NaN or infinite"):
        _ = KerasClassifier(model).n_classes


def test_images_of_any_size_and_several_inputs_are_refused() -> None:
    anything = keras.Sequential([keras.Input((None, None, 3)), LAYERS.GlobalAveragePooling2D()])
    with pytest.raises(XaibenchError, match="one size"):
        KerasClassifier(anything)
    two = [keras.Input(SIZE), keras.Input(SIZE)]
    with pytest.raises(XaibenchError, match="takes 2 inputs"):
        KerasClassifier(keras.Model(two, LAYERS.Flatten()(LAYERS.Add()(two))))


def test_a_subclassed_model_is_refused() -> None:
    class Own(keras.Model):
        pass

    with pytest.raises(XaibenchError, match="subclassed"):
        KerasClassifier(Own())


def test_logits_that_turn_out_to_be_probabilities_are_refused_on_real_images() -> None:
    inputs = keras.Input(SIZE)
    shares = LAYERS.Flatten()(LAYERS.AveragePooling2D((6, 3))(inputs))
    dense = LAYERS.Dense(2, use_bias=False)
    model = keras.Model(inputs, dense(shares))
    dense.set_weights([np.eye(2, dtype=np.float32)])
    left = np.linspace(0, 1, 5, dtype=np.float32).reshape(-1, 1, 1, 1)
    halves = np.concatenate([np.ones((5, 6, 3, 1)) * left, np.ones((5, 6, 3, 1)) * (1 - left)], axis=2)
    classifier = KerasClassifier(model)
    with pytest.raises(XaibenchError, match="read as logits"):
        classifier.verify(halves.astype(np.float32))


def test_outputs_that_are_nan_on_real_images_are_refused() -> None:
    inputs = keras.Input(SIZE)
    x = keras.ops.sqrt(LAYERS.Flatten()(inputs) - 0.5)
    classifier = KerasClassifier(keras.Model(inputs, LAYERS.Dense(2, activation="softmax")(x)))
    with pytest.raises(XaibenchError, match="NaN or infinite values for 5 of 5"):
        classifier.verify(IMAGES * 0)


# ---------------------------------------------------------------- inputs and outputs spelled as lists


def backbone(inputs: Any) -> Any:
    plain = small_resnet(size=8).model
    return keras.Model(inputs(plain.input), plain.get_layer("block_end").output, name="backbone")


@pytest.mark.parametrize("outer", [True, False])
@pytest.mark.parametrize("inner", [True, False])
@pytest.mark.parametrize("called", [True, False])
def test_models_whose_inputs_are_lists_are_read(outer: bool, inner: bool, called: bool) -> None:
    inputs = keras.Input((8, 8, 1))
    maps = backbone(lambda x: [x] if inner else x)
    x = maps([inputs] if called and inner else inputs)
    outputs = LAYERS.Dense(2, activation="softmax")(LAYERS.GlobalAveragePooling2D()(x))
    model = keras.Model([inputs] if outer else inputs, [outputs] if outer else outputs)
    classifier = KerasClassifier(model)
    images = np.random.default_rng(0).random((3, 8, 8, 1), dtype=np.float32)
    assert classifier.verify(images) == []
    assert classifier.default_layer == "block_end"
    assert classifier.features(images).shape == (3, 4, 4, 8)


def test_a_backbone_of_several_outputs_is_opened() -> None:
    plain = small_resnet(size=8).model
    levels = keras.Model(plain.input, [plain.get_layer("block_end").output, plain.layers[1].output])
    inputs = keras.Input((8, 8, 1))
    deep, shallow = levels(inputs)
    pooled = [LAYERS.GlobalAveragePooling2D()(x) for x in (shallow, deep)]
    outputs = LAYERS.Dense(2, activation="softmax")(LAYERS.Concatenate()(pooled))
    classifier = KerasClassifier(keras.Model(inputs, outputs))
    images = np.random.default_rng(0).random((3, 8, 8, 1), dtype=np.float32)
    assert classifier.verify(images) == []


def test_layers_of_one_name_in_nested_models_do_no_harm() -> None:
    def head(units: int, name: str) -> Any:
        layers = [keras.Input(SIZE), LAYERS.Conv2D(units, 3, name="add"), LAYERS.Flatten(name="matmul")]
        return keras.Sequential(layers, name=name)

    inputs = keras.Input(SIZE)
    x = LAYERS.Concatenate(name="concatenate")([head(2, "a")(inputs), head(3, "b")(inputs)])
    outputs = LAYERS.Dense(1, activation="sigmoid", name="add")(x)
    model = keras.Model(inputs, outputs)
    classifier = KerasClassifier(model)
    assert classifier.verify(IMAGES) == []
    lent = classifier.borrow_keras(0, 0)
    np.testing.assert_allclose(lent.model(IMAGES), classifier.logits(IMAGES), atol=1e-5)
    assert lent.model.get_layer(lent.layer).output.shape == (None, 4, 4, 3)


def as_keras_3_10_wrote(path: Path) -> None:
    """Spell inputs and outputs as lists of lists, in every nested model, as Keras 3.3 to 3.10 did."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}

    def spelled(part: Any) -> Any:
        if isinstance(part, list):
            return [spelled(item) for item in part]
        if not isinstance(part, dict):
            return part
        made = {key: spelled(value) for key, value in part.items()}
        for key in {"input_layers", "output_layers"} & set(made):
            made[key] = made[key] if isinstance(made[key][0], list) else [made[key]]
        return made

    config = spelled(json.loads(content["config.json"]))
    assert isinstance(config["config"]["input_layers"][0], list)
    content["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("lists", [True, False])
def test_files_of_older_keras_versions_are_read(tmp_path: Path, suffix: str, lists: bool) -> None:
    inputs = keras.Input((8, 8, 1))
    x = backbone(lambda x: [x] if lists else x)(inputs)
    outputs = LAYERS.Dense(2, activation="softmax")(LAYERS.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, outputs)
    path = tmp_path / f"m{suffix}"
    model.save(path)
    if suffix == ".keras":
        as_keras_3_10_wrote(path)
    classifier = KerasFile(path).load()
    images = np.random.default_rng(0).random((3, 8, 8, 1), dtype=np.float32)
    assert classifier.verify(images) == []
    np.testing.assert_allclose(classifier.scores(images), model.predict(images, verbose=0), atol=1e-6)
    assert classifier.borrow_keras(0, 0).layer == "block_end"


# ---------------------------------------------------------------- files and class names


def saved(folder: Path, units: int = 2) -> Path:
    model, _ = build(Foreign("", units, LAYERS.Softmax()))
    model.save(folder / "m.keras")
    return folder / "m.keras"


def test_class_names_are_given_or_lie_beside_the_file(tmp_path: Path) -> None:
    path = saved(tmp_path)
    assert KerasFile(path).load().class_names == ()
    (tmp_path / "classes.json").write_text('["a", "b"]')
    assert KerasFile(path).load().class_names == ("a", "b")
    (tmp_path / "classes.json").write_text('{"1": "b", "0": "a"}')
    assert KerasFile(path).load().class_names == ("a", "b")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('["a"]', r"1 class names \(a\) for the 2 classes"),
        ('["a", "a"]', "different, non-empty"),
        ('["a", 3]', "different, non-empty"),
        ('{"a": 0, "b": 1}', "list of class names, or a mapping"),
        ("{", "cannot be read as JSON"),
    ],
)
def test_class_names_that_do_not_fit_are_one_sentence(tmp_path: Path, content: str, message: str) -> None:
    path = saved(tmp_path)
    (tmp_path / "classes.json").write_text(content)
    with pytest.raises(XaibenchError, match=message):
        KerasFile(path).load()


def test_the_format_takes_keras_files_and_nothing_else(tmp_path: Path) -> None:
    assert [KerasFile.accepts(tmp_path / name) for name in ("m.keras", "m.h5", "m.onnx", "m")] == [
        True,
        True,
        False,
        False,
    ]
    (tmp_path / "folder.keras").mkdir()
    assert not KerasFile.accepts(tmp_path / "folder.keras")
    assert isinstance(KerasFile(saved(tmp_path)), ClassifierFormat)
    assert isinstance(KerasFile, AcceptsPaths)
    assert isinstance(KerasFile(saved(tmp_path)).load(), Verifiable)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_file_that_carries_code_is_refused_with_the_reason(tmp_path: Path, suffix: str) -> None:
    model = keras.Sequential([keras.Input(SIZE), LAYERS.Lambda(lambda x: x * 2), LAYERS.Flatten()])
    model.save(tmp_path / f"code{suffix}")
    with pytest.raises(XaibenchError, match="carries code"):
        load_keras(tmp_path / f"code{suffix}")


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".hdf5", ".pt"])
@pytest.mark.parametrize("content", [b"", b"not a model", None])
def test_a_broken_or_missing_model_file_is_one_sentence(
    tmp_path: Path, content: bytes | None, suffix: str
) -> None:
    path = tmp_path / f"m{suffix}"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(XaibenchError, match=r"no \.keras archive|no model file"):
        load_keras(path)


def test_a_truncated_archive_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps({"class_name": "Nothing"}))
    with pytest.raises(XaibenchError, match="cannot be loaded"):
        load_keras(path)


def test_an_archive_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xaibench.classifiers.keras.loading.LARGEST", 1000)
    with pytest.raises(XaibenchError, match="unpacks to more than"):
        load_keras(saved(tmp_path))
