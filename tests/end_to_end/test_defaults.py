"""The first command of the README, and what must be true of it: the phantom's truth is known."""

import csv
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

Run = Callable[..., Path]


@pytest.fixture(scope="module")
def default_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs `xaibench run` with its own cache, as on a fresh machine; returns the run folder."""
    cache = tmp_path_factory.mktemp("cache")

    def run(*arguments: str) -> Path:
        out = tmp_path_factory.mktemp("runs") / "run"
        command = [sys.executable, "-m", "xaibench", "run", *arguments, "--workers", "0", "--out", str(out)]
        environment = {"XAIBENCH_CACHE": str(cache), "PATH": "/usr/bin:/bin", "HOME": str(cache)}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=900)
        assert done.returncode == 0, done.stderr[-3000:]
        return out

    return run


def scores(folder: Path) -> dict[tuple[str, str], dict[str, str]]:
    """Rows over all cases, by method and metric."""
    with (folder / "scores.csv").open(newline="") as file:
        return {
            (row["method"], row["metric"]): row
            for row in csv.DictReader(file)
            if (row["class"], row["subset"]) == ("all", "all")
        }


def right_of(folder: Path) -> tuple[int, int]:
    """Patients whom the model calls rightly, and all, as the report says it."""
    found = re.search(r"The model is right in (\d+) of (\d+) patients", words(folder))
    assert found
    return int(found[1]), int(found[2])


def words(folder: Path) -> str:
    """Visible text of the report."""
    page = (folder / "report.html").read_text()
    page = re.sub(r"<(style|svg|script).*?</\1>", " ", page, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


@pytest.fixture(scope="module")
def smoke(default_run: Run) -> Path:
    """An explainer and a control by all metrics."""
    return default_run("--preset", "smoke", "--patients", "2", "--methods", "grad-cam,random")


@pytest.fixture(scope="module")
def all_patients(default_run: Run) -> Path:
    """All 28 patients, methods that cost next to nothing."""
    return default_run("--methods", "family:control,grad-cam", "--metrics", "family:co-localisation")


@pytest.fixture(scope="module")
def shortcut(default_run: Run) -> Path:
    """All 28 patients of the cohort whose model learnt to look at a prosthesis."""
    methods = "family:control,grad-cam,stacked-feature-maps"
    return default_run(
        *("--methods", methods, "--metrics", "family:co-localisation", "--dataset", "phantom-shortcut")
    )


@pytest.mark.nightly
def test_every_cell_of_the_smoke_run_is_measured_or_says_why_not(smoke: Path) -> None:
    info = json.loads((smoke / "run.json").read_text())
    found = scores(smoke)
    assert {(m, k) for m in info["methods"] for k in info["metrics"]} <= set(found)
    assert {row["status"] for row in found.values()} == {"measured", "not applicable"}
    assert len({case["patient"] for case in info["cohort"]["cases"]}) == 2


def test_the_default_model_is_right_on_nine_of_ten_held_out_patients(all_patients: Path) -> None:
    right, patients = right_of(all_patients)
    assert patients == 28
    assert right >= 0.9 * patients


def test_the_annotation_is_first_in_relevance_mass_and_the_report_says_so(all_patients: Path) -> None:
    mass = {m: float(row["value"]) for (m, k), row in scores(all_patients).items() if k == "relevance-mass"}
    assert mass["mask"] == 1
    assert sorted(mass, key=mass.__getitem__)[-1] == "mask"
    assert "Check passed: the mask scores 1." in words(all_patients)


def test_random_maps_have_enrichment_one_within_their_interval(all_patients: Path) -> None:
    row = scores(all_patients)["random", "enrichment"]
    assert float(row["low"]) <= 1 <= float(row["high"])
    assert "Check passed: random scores chance." in words(all_patients)


def test_the_heatmaps_of_the_default_model_point_at_the_tumour(all_patients: Path) -> None:
    assert float(scores(all_patients)["grad-cam", "enrichment"]["low"]) > 2


@pytest.mark.nightly
def test_no_explainer_is_said_to_point_at_the_tumour_of_the_shortcut_model(shortcut: Path) -> None:
    assert right_of(shortcut)[0] >= 26
    with (shortcut / "scores.csv").open(newline="") as file:
        found = [row for row in csv.DictReader(file) if row["metric"] == "enrichment"]
    [recurrent] = [row for row in found if (row["method"], row["class"]) == ("grad-cam", "recurrent")]
    assert float(recurrent["high"]) < 1
    assert "more relevance on the tumour than chance" not in words(shortcut)
    assert "on the tumour none shown" in words(shortcut)


@pytest.mark.nightly
def test_the_shortcut_models_evidence_lies_where_the_confounder_was_planted(shortcut: Path) -> None:
    from skimage.transform import resize

    from xaibench.datasets.phantom.dataset import PhantomShortcut

    planted = PhantomShortcut().confounder_regions()
    inside, expected = [], []
    for file in sorted(shortcut.glob("heatmaps/grad-cam/*.npz")):
        patient, index, _ = re.split("-s|-", file.stem)
        if patient not in planted:
            continue
        region = resize(planted[patient][int(index)].astype(float), (128, 128), order=1) > 0.01
        heatmap = np.maximum(np.load(file)["heatmap"], 0)
        inside.append(heatmap[region].sum() / heatmap.sum())
        expected.append(region.mean())
    assert len(inside) == 7
    assert np.mean(inside) > 3 * np.mean(expected)
