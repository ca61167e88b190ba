"""A complete training in a folder: what is written, going on, refusing."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.models.made_up import made_samples, tiny_backbone
from tests.models.test_samples_and_folds import FourPatients
from xaibench.api import Silent, XaibenchError
from xaibench.classifiers.keras import KerasClassifier
from xaibench.models import transfer
from xaibench.models.model_folder import ModelFolder
from xaibench.models.transfer import Plan, train, train_dataset

PLAN = Plan(folds=3, permutations=19)
SAMPLES = made_samples()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    return train(SAMPLES, tiny_backbone(), PLAN, tmp_path_factory.mktemp("models") / "m", Silent())


def metrics_of(folder: ModelFolder) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder.path / "metrics.json").read_text())
    return found


def test_every_patient_was_held_out_once_and_scored_by_that_fold(folder: ModelFolder) -> None:
    models = [KerasClassifier(folder.fold_model(fold)) for fold in range(folder.fold_count)]
    table = folder.patients()
    assert sorted(table) == list(SAMPLES.names)
    for number, name in enumerate(SAMPLES.names):
        scores = models[table[name]["fold"]].scores(SAMPLES.images[SAMPLES.owners == number])[:, 1]
        assert table[name]["probability"] == pytest.approx(scores.mean(), abs=1e-3)
        assert table[name]["label"] == SAMPLES.patient_labels[number]


def test_a_plain_signal_is_found_and_beats_its_null(folder: ModelFolder) -> None:
    metrics = metrics_of(folder)
    assert metrics["pooled"]["patient"]["accuracy"]["value"] > 0.9
    assert metrics["shuffle_test"]["accuracy"]["p"] == 1 / 20
    assert len(metrics["shuffle_test"]["accuracy"]["null"]) == 19


def test_figures_are_by_fold_and_pooled_for_patients_and_slices(folder: ModelFolder) -> None:
    metrics = metrics_of(folder)
    assert metrics["pooled"]["patient"]["n"] == 21
    assert metrics["pooled"]["slice"]["n"] == 63
    assert metrics["pooled"]["slice"]["patients"] == 21
    for kind in ("patient", "slice"):
        parts = [fold[kind]["confusion"] for fold in metrics["folds"]]
        for name, count in metrics["pooled"][kind]["confusion"].items():
            assert sum(part[name] for part in parts) == count


def test_the_same_call_trains_nothing_again(folder: ModelFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {file.name: file.read_bytes() for file in folder.path.iterdir()}
    monkeypatch.setattr(transfer, "make_learner", lambda *_: pytest.fail("trained again"))
    train(SAMPLES, tiny_backbone(), PLAN, folder.path, Silent())
    assert {file.name: file.read_bytes() for file in folder.path.iterdir()} == files


def test_a_training_killed_before_its_last_file_ends_the_same(folder: ModelFolder, tmp_path: Path) -> None:
    out = tmp_path / "m"
    out.mkdir()
    rows = (folder.path / "permutations.jsonl").read_text().splitlines(keepends=True)
    (out / "training.json").write_bytes((folder.path / "training.json").read_bytes())
    (out / ".fold-0.keras.x.part.keras").write_bytes(b"half")
    (out / "permutations.jsonl").write_text("".join(rows[:4]))
    again = train(SAMPLES, tiny_backbone(), PLAN, out, Silent())
    first, second = metrics_of(folder), metrics_of(again)
    assert first["shuffle_test"]["accuracy"] == second["shuffle_test"]["accuracy"]
    assert first["pooled"]["patient"]["confusion"] == second["pooled"]["patient"]["confusion"]


@pytest.mark.parametrize("what", ["plan", "data", "backbone"])
def test_another_training_in_the_same_folder_is_refused_by_name(folder: ModelFolder, what: str) -> None:
    plan = Plan(folds=3, permutations=19, seed=1) if what == "plan" else PLAN
    samples = made_samples(signal=1.0) if what == "data" else SAMPLES
    backbone = tiny_backbone(seed=5 if what == "backbone" else 0)
    with pytest.raises(XaibenchError, match=f"holds another training: {what} differ"):
        train(samples, backbone, plan, folder.path, Silent())


def test_a_folder_of_other_things_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("mine")
    with pytest.raises(XaibenchError, match="holds other files; choose another --out"):
        train(SAMPLES, tiny_backbone(), PLAN, tmp_path, Silent())
    assert [file.name for file in tmp_path.iterdir()] == ["letters.txt"]


def test_a_folder_without_a_model_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(XaibenchError, match="holds no trained model"):
        ModelFolder.existing(tmp_path)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"patient_score": "median"}, "--patient-score is 'median'; give mean or max"),
        ({"permutations": -1}, "--permutations is -1; give 0 or more"),
        ({"fine_tune": -1}, "--fine-tune is -1; give 0 or more"),
    ],
)
def test_plans_that_make_no_sense_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(XaibenchError, match=sentence):
        Plan(**options)


def test_small_classes_are_told_before_the_backbone_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "make_backbone", lambda *_: pytest.fail("made a backbone first"))
    with pytest.raises(XaibenchError, match="class fine has only 2 patients; give --folds 2"):
        train_dataset(FourPatients(), Plan(), tmp_path / "m", Silent())
    assert not (tmp_path / "m").exists()


def test_the_data_of_the_folder_names_no_more_than_pseudonyms(folder: ModelFolder) -> None:
    entry = folder.patients()["P001"]
    assert sorted(entry) == ["fold", "identity", "image", "label", "probability", "slices"]
    assert np.isfinite(entry["slices"]).all()
