"""`xaibench run` on Keras models of several outputs, classes that do not exclude each other, and other scales."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.end_to_end.cohorts import SIZE, SQUARE, arrays, grey, png_in_colour
from tests.end_to_end.conftest import Command

EXPLAINED = (
    "--workers",
    "0",
    "--methods",
    "grad-cam,random",
    "--metrics",
    "gini,class-consistency,pointing-game",
)


def saved(path: Path, channels: int, heads: dict[str, Any], first: Any = None) -> Path:
    """Save a network with a convolution and dense heads of fixed random weights, name -> (classes, activation)."""
    import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    image = keras.Input((*SIZE, channels))
    x = first(image) if first else image
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    pooled = layers.GlobalAveragePooling2D()(x)
    made = [layers.Dense(k, activation=end, name=name)(pooled) for name, (k, end) in heads.items()]
    keras.Model(image, made).save(path)
    return path


def info_of(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "run.json").read_text())
    return found


def several_labels(root: Path) -> Path:
    """Four images: both findings, one of them, the other, none."""
    root.mkdir()
    images = np.concatenate([grey(number) for number in range(4)])
    labels = [[1, 0, 1], [0, 1, 0], [0, 0, 1], [0, 0, 0]]
    names = ["cyst", "mass", "nodule"]
    np.savez(root / "c.npz", images=images, regions=[SQUARE] * 4, labels=labels, class_names=names)
    return root / "c.npz"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("true", {"P001-s00-c0": 0, "P001-s00-c2": 2, "P002-s00": 1, "P003-s00": 2}),
        ("nodule", {f"P00{number}-s00": 2 for number in (1, 2, 3, 4)}),
    ],
)
def test_each_label_of_a_case_is_explained(
    target: str, expected: dict[str, int], tmp_path: Path, xaibench: Command
) -> None:
    model = saved(tmp_path / "findings.keras", 1, {"findings": (3, "sigmoid")})
    out = tmp_path / "run"
    done = xaibench(
        *("run", "--dataset", several_labels(tmp_path / "cohort"), "--model", model),
        *("--scale", "0:1", "--target", target, *EXPLAINED, "--out", out),
    )
    assert done.exit_code == 0, done.errors
    info = info_of(out)
    assert info["model"]["exclusive"] is False
    assert {case["id"]: case["target"] for case in info["cohort"]["cases"]} == expected
    kept = {path.stem.rpartition("-")[0] for path in (out / "cases").glob("*.npz")}
    assert kept == set(expected)
    page = (out / "report.html").read_text()
    assert "labels that the patients have, with a probability of at least 50%" in page
    if target == "true":
        assert "1 of 4 cases have no label to explain; they are left out." in done.errors


def test_all_classes_of_a_chosen_output_that_has_more_than_the_cohort(
    tmp_path: Path, xaibench: Command
) -> None:
    model = saved(tmp_path / "two.keras", 3, {"site": (2, "softmax"), "kind": (4, "softmax")})
    cohort, out = png_in_colour(tmp_path / "cohort"), tmp_path / "run"
    asked = ("run", "--dataset", cohort, "--model", model, "--preprocessing", "vgg16", *EXPLAINED)
    refused = xaibench(*asked, "--out", out)
    assert refused.exit_code == 2
    assert "The model has 2 outputs: site, kind; choose one with --output NAME." in refused.errors
    names = ("--output", "kind", "--classes", "normal,malignant,benign,other")
    done = xaibench(*asked, *names, "--target", "all", "--out", out)
    assert done.exit_code == 0, done.errors
    info = info_of(out)
    assert info["cohort"]["class_names"] == ["normal", "malignant", "benign", "other"]
    cases = info["cohort"]["cases"]
    assert [(case["copy_of"], case["target"]) for case in cases] == [
        (f"P00{patient}-s00", number) for patient in (1, 2) for number in range(4)
    ]
    assert {case["copy_of"]: tuple(case["labels"]) for case in cases} == {"P001-s00": (2,), "P002-s00": (1,)}
    assert info["model"]["facts"]["preprocessing"].endswith("channels in reverse order")
    assert info["spec"]["preprocessing"] == "vgg16"


def test_one_logit_is_two_classes_and_the_finding_is_the_one_that_is_not_benign(
    tmp_path: Path, xaibench: Command
) -> None:
    model = saved(tmp_path / "one.keras", 1, {"score": (1, "sigmoid")})
    out = tmp_path / "run"
    done = xaibench(
        *("run", "--dataset", arrays(tmp_path / "cohort"), "--model", model, "--scale", "-1:1"),
        *("--classes", "malignant,benign", "--target", "finding", *EXPLAINED, "--out", out),
    )
    assert done.exit_code == 0, done.errors
    assert [(case["labels"], case["target"]) for case in info_of(out)["cohort"]["cases"]] == [
        ([1], 0),
        ([0], 0),
    ]


def test_images_that_the_first_layers_were_not_made_for_are_told_before_the_run(
    tmp_path: Path, xaibench: Command
) -> None:
    import keras

    model = saved(
        tmp_path / "m.keras", 1, {"score": (2, "softmax")}, keras.layers.Rescaling(1 / 255, name="to_unit")
    )
    cohort = tmp_path / "c.npz"
    np.savez(cohort, images=np.concatenate([grey(0, high=4000), grey(1, high=4000)]), labels=[0, 1])
    out = tmp_path / "run"
    told = xaibench("run", "--dataset", cohort, "--model", model, *EXPLAINED, "--out", out)
    assert "The model's first layers (to_unit) turn the pixels of these images, " in told.errors
    mended = ("--scale", "0:255", "--image-range", "0:4000")
    silent = xaibench(
        "run", "--dataset", cohort, "--model", model, *mended, *EXPLAINED, "--out", tmp_path / "mended"
    )
    assert silent.exit_code == 0, silent.errors
    assert "first layers" not in silent.errors


def test_a_model_of_several_inputs_is_one_sentence(tmp_path: Path, xaibench: Command) -> None:
    import keras

    inputs = [keras.Input((*SIZE, 1)), keras.Input((3,))]
    flat = keras.layers.Concatenate()([keras.layers.Flatten()(inputs[0]), inputs[1]])
    keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(flat)).save(tmp_path / "m.keras")
    model, cohort = tmp_path / "m.keras", arrays(tmp_path / "c")
    done = xaibench("run", "--dataset", cohort, "--model", model, *EXPLAINED, "--out", tmp_path / "run")
    assert done.exit_code == 2
    assert "The model takes 2 inputs" in done.errors
