"""`xaibench train`, `run --model DIR` and `study`, on real DICOM and with a quick backbone."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.end_to_end.conftest import Command
from xaibench.api import Batch
from xaibench.classifiers.keras import KerasClassifier
from xaibench.datasets.phantom.dataset import make_phantom
from xaibench.harness.store.folder import RunFolder
from xaibench.methods.grad_cam import GradCam
from xaibench.models.model_folder import ModelFolder

QUICK = ["--weights", "none", "--folds", "2", "--permutations", "3"]
SEEDS = ["--training-seeds", "2"]
METHODS = ["--methods", "stacked-feature-maps,stacked-random-maps,grad-cam,mask", "--preset", "smoke"]


@pytest.fixture(scope="module")
def studied(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the one study of this module."""
    return tmp_path_factory.mktemp("studies") / "study"


@pytest.fixture
def study(studied: Path, cohort: Path, xaibench: Command) -> Path:
    """Folder of a finished study, made by the first test."""
    if (studied / "study.html").is_file():
        return studied
    done = xaibench("study", "--dataset", cohort, *QUICK, *SEEDS, *METHODS, "--out", studied)
    assert done.exit_code == 0, done.errors
    assert "study.html" in done.output
    return studied


def test_every_case_is_explained_by_the_model_that_never_saw_its_patient(study: Path) -> None:
    model, run = ModelFolder.existing(study / "model"), RunFolder.existing(study)
    table = model.patients()
    folds = {record.patient: record.fold for record in run.records() if record.patient != "cohort"}
    assert folds == {name: entry["fold"] for name, entry in table.items()}
    assert set(folds.values()) == {0, 1}
    for name, case in run.cases().items():
        classifier = KerasClassifier(model.fold_model(table[case.patient]["fold"]))
        target = int(classifier.scores(case.image[None])[0].argmax())
        kept = run.explanation("grad-cam", name)
        assert kept is not None
        batch = Batch(case.image[None], np.array([target]), np.array([0]))
        expected = np.asarray(GradCam()(classifier, batch))[0]
        np.testing.assert_allclose(kept.heatmap, expected, atol=1e-5)


def test_the_simulated_images_are_scored_with_their_nulls(study: Path) -> None:
    found = {
        (record.method, record.case): record.details
        for record in RunFolder.existing(study).records()
        if record.metric == "class-consistency" and record.value is not None
    }
    assert {method for method, _ in found} == {"stacked-feature-maps", "stacked-random-maps"}
    assert {case for _, case in found} == {"class recurrent", "class non-recurrent"}
    for details in found.values():
        assert {"predicted", "low", "high", "null_mean", "null_p"} <= set(details)


def test_both_pages_open_offline_and_say_what_was_trained(study: Path) -> None:
    for name in ("report.html", "study.html"):
        page = (study / name).read_text()
        assert 'src="http' not in page
        assert "<script src" not in page
    assert "huffle" in (study / "study.html").read_text()
    training = json.loads((study / "run.json").read_text())["model"]["record"]["training"]
    assert training["metrics"]["shuffle_test"]["permutations"] == 3
    assert [other["seed"] for other in training["seeds"]] == [0, 1]
    assert "class-consistency class recurrent" in training["seeds"][1]["figures"]


def test_a_finished_study_is_not_computed_again(study: Path, cohort: Path, xaibench: Command) -> None:
    made = [*study.glob("heatmaps/*/*.npz"), *study.glob("cohort/*.npz"), *study.glob("model/*.keras")]
    stamps = {file: file.stat().st_mtime_ns for file in made}
    assert len(stamps) == 4 * 4 + 2 + 2
    done = xaibench("study", "--dataset", cohort, *QUICK, *SEEDS, *METHODS, "--out", study)
    assert done.exit_code == 0, done.errors
    assert "is complete already" in done.errors
    assert {file: file.stat().st_mtime_ns for file in stamps} == stamps


def test_other_patients_are_explained_by_the_first_fold(
    study: Path, tmp_path: Path, xaibench: Command
) -> None:
    make_phantom(tmp_path / "others", patients=2, recurrent=1, seed=6)
    done = xaibench(
        "run", "--dataset", tmp_path / "others", "--model", study / "model", "--methods", "grad-cam",
        "--metrics", "iou", "--out", tmp_path / "run",
    )  # fmt: skip
    assert done.exit_code == 0, done.errors
    assert "neither by identifiers nor by images: explained by fold 0" in " ".join(done.errors.split())
    records = RunFolder.existing(tmp_path / "run").records()
    assert {record.fold for record in records} == {0}


@pytest.mark.nightly
def test_a_model_is_not_given_other_intensities_than_it_was_trained_on(
    study: Path, cohort: Path, tmp_path: Path, xaibench: Command
) -> None:
    done = xaibench(
        "run", "--dataset", cohort, "--model", study / "model", "--intensity", "unit", "--out", tmp_path / "r"
    )
    assert done.exit_code == 2
    assert "trained with --intensity raw, but this run gives it unit images" in done.errors


@pytest.mark.nightly
def test_training_prints_its_figures_and_goes_on_with_more_permutations(
    cohort: Path, tmp_path: Path, xaibench: Command
) -> None:
    first = xaibench("train", "--dataset", cohort, *QUICK, "--out", tmp_path / "m")
    assert first.exit_code == 0, first.errors
    assert "balanced_accuracy" in first.output
    assert "3 permutations" in first.output
    page = (tmp_path / "m" / "training.html").read_text()
    assert 'id="curves"' in page
    assert "Shuffle test" in page
    assert "<script" not in page
    more = xaibench("train", "--dataset", cohort, *QUICK[:-1], "5", "--out", tmp_path / "m")
    assert more.exit_code == 0, more.errors
    assert "5 permutations" in more.output


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (["--folds", "3"], "3 folds are asked for, but class non-recurrent has only 2 patients"),
        (["--folds", "1"], "cross-validation needs at least 2"),
        (["--backbone", "resnet"], "There is no backbone 'resnet'"),
        (["--weights", "imagenet"], "no ImageNet weights for the compact backbone"),
        (["--weights", "none.h5"], "There is no weights file none.h5"),
        (["--patient-score", "median"], "--patient-score is 'median'; give mean or max"),
        (["--mask-share", "2"], "--mask-share is 2.0"),
        (["--dataset", "phantm"], "no dataset 'phantm'; did you mean 'phantom'"),
    ],
)
def test_what_cannot_be_trained_is_one_sentence_and_exit_code_2(
    wrong: list[str], sentence: str, cohort: Path, tmp_path: Path, xaibench: Command
) -> None:
    done = xaibench("train", "--dataset", cohort, *QUICK, "--out", tmp_path / "m", *wrong)
    assert done.exit_code == 2
    assert sentence in done.errors.replace("\n", " ")


def test_a_misspelt_method_is_told_before_the_training(
    cohort: Path, tmp_path: Path, xaibench: Command
) -> None:
    done = xaibench("study", "--dataset", cohort, *QUICK, "--methods", "grad-camm", "--out", tmp_path / "s")
    assert done.exit_code == 2
    assert "no method 'grad-camm'; did you mean 'grad-cam'" in done.errors
    assert not (tmp_path / "s").exists()


def test_a_class_with_one_patient_is_one_sentence(tmp_path: Path, xaibench: Command) -> None:
    make_phantom(tmp_path / "few", patients=3, recurrent=1, seed=5)
    done = xaibench("train", "--dataset", tmp_path / "few", *QUICK, "--out", tmp_path / "m")
    assert done.exit_code == 2
    assert "Class recurrent has 1 patient" in done.errors


def test_labels_that_do_not_fit_the_folder_are_refused_by_training(
    cohort: Path, tmp_path: Path, xaibench: Command
) -> None:
    lines = (cohort / "clinical.csv").read_text().splitlines()
    (tmp_path / "labels.csv").write_text("\n".join([*lines[:-1], "Nobody-Here,1,recurrent"]) + "\n")
    done = xaibench(
        "train", "--dataset", cohort, "--labels", tmp_path / "labels.csv", *QUICK, "--out", tmp_path / "m"
    )
    assert done.exit_code == 2
    assert "labels.csv labels 1 patients that the folder does not hold (lines 5)." in done.errors
    assert "labels.csv has no line for P004; add one each" in done.errors
    assert "Nobody-Here" not in done.errors


def test_a_patient_with_an_empty_label_is_left_out_of_training(
    cohort: Path, tmp_path: Path, xaibench: Command
) -> None:
    lines = (cohort / "clinical.csv").read_text().splitlines()
    patient = lines[-1].split(",")[0]
    (tmp_path / "labels.csv").write_text("\n".join([*lines[:-1], f"{patient},,"]) + "\n")
    done = xaibench(
        "train", "--dataset", cohort, "--labels", tmp_path / "labels.csv", *QUICK, "--out", tmp_path / "m"
    )
    assert "has 1 patient(s); cross-validation needs at least 2" in done.errors  # three patients are left


def test_a_folder_without_a_model_is_one_sentence(cohort: Path, tmp_path: Path, xaibench: Command) -> None:
    done = xaibench("run", "--dataset", cohort, "--model", tmp_path, "--out", tmp_path / "run")
    assert done.exit_code == 2
    assert "is nothing that a model can be read from" in " ".join(done.errors.split())
