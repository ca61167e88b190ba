"""A trained folder as a model: who is matched to which fold, and what is said of who is not."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.models.made_up import MadeUpCohort, tiny_backbone
from xaibench.api import HeldOut, Identity, Intensity, LoadedModel, Match, NotApplicable, Silent, Volume
from xaibench.models.model_folder import ModelFolder
from xaibench.models.samples import slices_of
from xaibench.models.trained import TrainedFolder
from xaibench.models.transfer import Plan, train

COHORT = list(MadeUpCohort().volumes())
PLAN = Plan(folds=3, permutations=0, intensity=Intensity.UNIT)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    samples = slices_of(MadeUpCohort(), (16, 16, 1), intensity=Intensity.UNIT)
    return train(samples, tiny_backbone(), PLAN, tmp_path_factory.mktemp("models") / "m", Silent())


@pytest.fixture(scope="module")
def model(folder: ModelFolder) -> LoadedModel:
    return TrainedFolder(folder.path).load(MadeUpCohort(), Silent())


def held_out_folds(folder: ModelFolder) -> list[int]:
    return [folder.patients()[volume.patient]["fold"] for volume in COHORT]


def judged(model: LoadedModel, volumes: list[Volume]) -> tuple[HeldOut, str]:
    held_out, sentences = model.held_out({volume.patient: model.match(volume) for volume in volumes})
    return held_out, " ".join(sentences)


def re_exported(volume: Volume) -> Volume:
    """Same identifiers; other pixels, another pseudonym."""
    return replace(volume, patient=f"X{volume.patient}", images=volume.images[:2] * 2)


def anonymised(volume: Volume) -> Volume:
    """Same pixels; no identifiers, another pseudonym."""
    return replace(volume, patient=f"Y{volume.patient}", identity=Identity())


def stranger(volume: Volume) -> Volume:
    return replace(volume, patient="Z", images=volume.images + 1, identity=Identity("someone else"))


def test_only_a_folder_with_a_table_of_folds_is_accepted(folder: ModelFolder, tmp_path: Path) -> None:
    assert TrainedFolder.accepts(folder.path)
    assert not TrainedFolder.accepts(tmp_path)
    assert not TrainedFolder.accepts(folder.path / "folds.json")


def test_each_patient_gets_the_model_of_the_fold_that_held_them_out(
    model: LoadedModel, folder: ModelFolder
) -> None:
    assert [model.match(volume) for volume in COHORT] == [
        Match(fold, "identity") for fold in held_out_folds(folder)
    ]
    for volume in COHORT:
        score = model.classifiers[model.match(volume).classifier].scores(unit(volume.images))[:, 1].mean()
        assert score == pytest.approx(folder.patients()[volume.patient]["probability"], abs=1e-3)
    assert judged(model, COHORT) == (
        HeldOut.YES,
        "Each patient is explained by the fold model that never saw them.",
    )


def unit(images: np.ndarray) -> np.ndarray:
    """1st to 99th percentile of each slice as 0 to 1."""
    scaled = [
        (image - low) / (high - low) for image in images for low, high in [np.percentile(image, (1, 99))]
    ]
    return np.clip(np.stack(scaled), 0, 1).astype(np.float32)


def test_re_exported_files_are_matched_by_identity(model: LoadedModel, folder: ModelFolder) -> None:
    volumes = [re_exported(volume) for volume in COHORT]
    assert [model.match(volume).classifier for volume in volumes] == held_out_folds(folder)
    assert judged(model, volumes)[0] is HeldOut.YES


def test_one_identifier_that_survived_is_enough(model: LoadedModel, folder: ModelFolder) -> None:
    volumes = [replace(re_exported(v), identity=Identity("new", f"study-{i}")) for i, v in enumerate(COHORT)]
    assert [model.match(volume).classifier for volume in volumes] == held_out_folds(folder)


def test_files_without_identifiers_are_matched_by_image(model: LoadedModel, folder: ModelFolder) -> None:
    volumes = [anonymised(volume) for volume in COHORT]
    assert [model.match(volume) for volume in volumes] == [
        Match(fold, "image") for fold in held_out_folds(folder)
    ]
    assert judged(model, volumes)[0] is HeldOut.YES


def test_a_stranger_among_known_patients_is_named_and_nothing_is_claimed(model: LoadedModel) -> None:
    held_out, sentence = judged(model, [*COHORT[1:], stranger(COHORT[0])])
    assert held_out is HeldOut.UNKNOWN
    assert "Of this cohort, Z could not be found" in sentence
    assert "may or may not have seen them" in sentence


def test_a_cohort_of_strangers_is_not_called_held_out(model: LoadedModel) -> None:
    held_out, sentence = judged(model, [stranger(COHORT[0])])
    assert held_out is HeldOut.UNKNOWN
    assert "No patient was found" in sentence


def test_without_identifiers_and_with_other_pixels_nobody_can_tell(model: LoadedModel) -> None:
    volumes = [replace(re_exported(volume), identity=Identity()) for volume in COHORT]
    assert {model.match(volume).known_by for volume in volumes} == {""}
    assert judged(model, volumes)[0] is HeldOut.UNKNOWN


def test_identifiers_of_two_patients_name_nobody(model: LoadedModel, folder: ModelFolder) -> None:
    folds = held_out_folds(folder)
    other = next(number for number in range(12) if folds[number] != folds[0])
    both = replace(COHORT[0], identity=Identity("id-0", f"id-{other}"))
    assert model.match(both) == Match()


def test_matching_leaves_no_trace(model: LoadedModel) -> None:
    before = model.match(COHORT[3])
    model.match(stranger(COHORT[0]))
    assert model.match(COHORT[3]) == before
    assert judged(model, COHORT)[0] is HeldOut.YES


def test_a_fold_model_was_trained_on_the_patients_of_the_other_folds(
    model: LoadedModel, folder: ModelFolder
) -> None:
    for fold in range(3):
        expected = [v.patient for v, own in zip(COHORT, held_out_folds(folder), strict=True) if own != fold]
        assert [volume.patient for volume in model.training_volumes(fold)] == expected


def test_training_patients_who_are_not_in_the_cohort_cannot_be_had(folder: ModelFolder) -> None:
    class Strangers(MadeUpCohort):
        def volumes(self) -> Iterator[Volume]:
            yield stranger(COHORT[0])

    model = TrainedFolder(folder.path).load(Strangers(), Silent())
    with pytest.raises(NotApplicable, match="are not in this dataset"):
        next(model.training_volumes(0))


def test_the_folder_holds_hashes_and_no_identifier(folder: ModelFolder) -> None:
    for file in folder.path.glob("*.json*"):
        assert "id-3" not in file.read_text()
        assert "study-3" not in file.read_text()
    hashes = folder.patients()["P03"]["identity"]
    assert sorted(COHORT[3].identity.under(folder.identity_key())) == hashes


def test_without_its_key_a_folder_knows_patients_by_image_alone(folder: ModelFolder, tmp_path: Path) -> None:
    for name in ("training.json", "folds.json", "metrics.json", "curves.json", *folder.path.glob("fold-*")):
        (tmp_path / Path(name).name).write_bytes((folder.path / name).read_bytes())
    model = TrainedFolder(tmp_path).load(MadeUpCohort(), Silent())
    assert model.match(COHORT[0]).known_by == "image"
    assert model.match(re_exported(COHORT[0])) == Match()


def test_the_model_says_how_it_was_trained(model: LoadedModel, folder: ModelFolder) -> None:
    assert model.name == "compact (3 folds)"
    assert model.class_names == ("fine", "ill")
    assert model.intensity is Intensity.UNIT
    assert model.facts["trained on"] == "12 patients in 3 folds, 36 slices"
    right = sum((entry["probability"] > 0.5) == entry["label"] for entry in folder.patients().values())
    assert model.facts["held-out patients right by all their slices"] == f"{right} of 12"
    assert model.record["training"]["settings"]["plan"]["folds"] == 3
