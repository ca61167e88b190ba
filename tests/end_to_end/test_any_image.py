"""`xaibench run` and `data check` on every kind of image that is read."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.end_to_end.cohorts import COHORTS, SECRETS, SIZE, SQUARE
from tests.end_to_end.conftest import Command
from xaibench.api import Status
from xaibench.harness.store.folder import RunFolder

FUNCTION = ("--model", "python-function", "--function", "tests.end_to_end.cohorts:brightness")
KNOWS_PIXELS = {"bids", "ct", "pt", "nm"}
IN_COLOUR = {"png-in-colour", "us", "capture"}
WITHOUT_REGION = {"medmnist", "cr", "dx", "mg", "us", "capture"}
REPORTED = {"png-in-colour", "ct"}


@pytest.mark.parametrize("kind", COHORTS)
def test_every_kind_of_image_is_read_explained_and_scored(
    kind: str, tmp_path: Path, xaibench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind not in REPORTED:  # reports take longer than the rest, and know nothing of where images come from
        monkeypatch.setattr("xaibench.reports.write_reports", lambda folder: folder.path)
    make, pixels = COHORTS[kind]
    path, out = make(tmp_path / "cohort"), tmp_path / "run"
    shape = ",".join(map(str, (*SIZE, 3 if kind in IN_COLOUR else 1)))
    asked = ("--methods", "mask,edges", "--metrics", "pointing-game,hausdorff-95,gini", "--workers", "0")
    scaled = ("--scale", "0:1", "--image-range", pixels, "--target", "true")
    done = xaibench(
        "run", "--dataset", path, *FUNCTION, "--input-shape", shape, *scaled, *asked, "--out", out
    )
    assert done.exit_code == 0, done.errors
    cohort = json.loads((out / "run.json").read_text())["cohort"]
    assert cohort["class_names"] in (["benign", "malignant"], ["normal", "pneumonia"])
    assert [case["labels"] for case in cohort["cases"]] == [[0], [1]]
    assert [int(np.argmax(case["scores"])) for case in cohort["cases"]] == [0, 1]
    assert f"The pixels of the images run from {read_range(out)}" in done.errors
    marked = None if kind in WITHOUT_REGION else int(SQUARE.sum())
    assert [case["region_pixels"] for case in cohort["cases"]] == [marked] * 2
    assert measured(out, "gini")
    assert measured(out, "pointing-game") == (marked is not None)
    assert measured(out, "hausdorff-95") == (kind in KNOWS_PIXELS)


def read_range(out: Path) -> str:
    images = [np.load(path)["image"] for path in sorted((out / "cases").glob("*.npz"))]
    return f"{min(i.min() for i in images):.4g} to {max(i.max() for i in images):.4g};"


def measured(out: Path, metric: str) -> bool:
    folder = RunFolder.existing(out)
    found = {
        record.status for record in folder.records() if (record.method, record.metric) == ("edges", metric)
    }
    folder.close()
    return found == {Status.OK}


@pytest.mark.parametrize("kind", ["bids", "medmnist", "ct", "us"])
def test_a_check_shows_what_would_be_read_with_a_contact_sheet(
    kind: str, tmp_path: Path, xaibench: Command
) -> None:
    sheet = tmp_path / "sheet.png"
    done = xaibench("data", "check", COHORTS[kind][0](tmp_path / "cohort"), "--sheet", sheet)
    assert done.exit_code == 0, done.output + done.errors
    assert "2 patients, 0 problems." in done.output
    assert "Contact sheet of 2 patients" in done.output
    shown = done.output.encode() + sheet.read_bytes()
    assert sheet.read_bytes().startswith(b"\x89PNG")
    assert not [secret for secret in SECRETS if secret.encode() in shown]
