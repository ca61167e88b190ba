"""`xaibench run` and `data check` on every kind of image that is read, and on models of every kind of answer."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.end_to_end.cohorts import COHORTS, SECRETS, SIZE, SQUARE, grey
from tests.end_to_end.conftest import Command

FUNCTION = ("--model", "python-function", "--function", "tests.end_to_end.cohorts:brightness")
KNOWS_PIXELS = {"bids", "ct", "pt", "nm"}
IN_COLOUR = {"png-in-colour", "us", "capture"}


@pytest.mark.parametrize("kind", COHORTS)
def test_every_kind_of_image_is_read_explained_and_scored(
    kind: str, tmp_path: Path, xaibench: Command
) -> None:
    make, pixels = COHORTS[kind]
    path, out = make(tmp_path / "cohort"), tmp_path / "run"
    shape = ",".join(map(str, (*SIZE, 3 if kind in IN_COLOUR else 1)))
    done = xaibench(
        *("run", "--dataset", path, *FUNCTION, "--input-shape", shape),
        *("--scale", "0:1", "--image-range", pixels, "--target", "true"),
        *("--methods", "mask,edges", "--metrics", "pointing-game,hausdorff-95,gini", "--out", out),
    )
    assert done.exit_code == 0, done.errors
    info = json.loads((out / "run.json").read_text())
    assert info["cohort"]["class_names"] in (["benign", "malignant"], ["normal", "pneumonia"])
    assert [case["labels"] for case in info["cohort"]["cases"]] == [[0], [1]]
    assert [int(np.argmax(case["scores"])) for case in info["cohort"]["cases"]] == [0, 1]
    assert f"The pixels of the images run from {read_range(out)}" in done.errors
    if kind in ("medmnist", "cr", "dx", "mg", "us", "capture"):
        return
    assert [case["region_pixels"] for case in info["cohort"]["cases"]] == [SQUARE.sum()] * 2
    assert has_value(out, "hausdorff-95") == (kind in KNOWS_PIXELS)
    assert has_value(out, "pointing-game")


def read_range(out: Path) -> str:
    images = [np.load(path)["image"] for path in sorted((out / "cases").glob("*.npz"))]
    return f"{min(i.min() for i in images):.4g} to {max(i.max() for i in images):.4g};"


def has_value(out: Path, metric: str) -> bool:
    import pandas as pd

    scores = pd.read_csv(out / "scores.csv", na_values=["-"])
    return bool(scores[scores.metric == metric].value.notna().any())
