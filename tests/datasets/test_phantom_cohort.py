import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import highdicom as hd
import numpy as np
import pandas as pd
import pydicom
import pytest

from xaibench.api import Dataset, Volume, XaibenchError
from xaibench.datasets.phantom import cohort as phantom_cohort
from xaibench.datasets.phantom import dataset as phantom
from xaibench.datasets.phantom.cohort import FILES_VERSION, VERSION, enrol
from xaibench.datasets.phantom.dataset import Phantom, PhantomShortcut, make_phantom


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("cohorts") / "phantom"
    make_phantom(root, patients=3, recurrent=1, seed=5)
    return root


@pytest.fixture(scope="module")
def shortcut(tmp_path_factory: pytest.TempPathFactory) -> PhantomShortcut:
    return PhantomShortcut(4, 2, 5, tmp_path_factory.mktemp("cohorts") / "shortcut")


@pytest.fixture
def few_training_patients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phantom, "TRAINING_PATIENTS", 6)


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def headers(root: Path) -> list[pydicom.Dataset]:
    """Slices of the first patient, from the feet upwards."""
    files = [pydicom.dcmread(path) for path in sorted((root / "PHANTOM-0001" / "MR").iterdir())]
    return sorted(files, key=lambda header: header.ImagePositionPatient[2])


def test_same_seed_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    make_phantom(tmp_path / "again", patients=3, recurrent=1, seed=5)
    assert contents(tmp_path / "again") == contents(folder)


def test_no_file_tells_when_or_by_which_version_it_was_written(folder: Path) -> None:
    for path in folder.rglob("*.dcm"):
        dataset = pydicom.dcmread(path)
        dates = [
            element.value for element in dataset.iterall() if element.VR in ("DA", "DT") and element.value
        ]
        assert set(dates) == {"20200101"}
        assert {str(e.value) for e in dataset.iterall() if e.VR == "TM" and e.value} == {"120000"}
        assert dataset.file_meta.ImplementationVersionName == "XAIBENCH_1"
        assert b"highdicom" not in path.read_bytes()


def test_other_seed_gives_other_images(folder: Path, tmp_path: Path) -> None:
    make_phantom(tmp_path / "other", patients=1, recurrent=1, seed=6)
    first = headers(folder)[5].pixel_array
    assert np.mean(first != headers(tmp_path / "other")[5].pixel_array) > 0.9


def test_cohort_has_a_folder_a_patient_and_a_table_of_labels(folder: Path) -> None:
    table = pd.read_csv(folder / "clinical.csv")
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == list(table.patient)
    assert sorted(table.label) == [0, 0, 1]
    assert list(table.label_name) == [Phantom.class_names[label] for label in table.label]
    for patient in table.patient:
        files = [pydicom.dcmread(path, stop_before_pixels=True) for path in (folder / patient).rglob("*.dcm")]
        assert {header.PatientID for header in files} == {patient}
        assert 14 <= sum(header.SOPClassUID == pydicom.uid.MRImageStorage for header in files) <= 16
        assert sum(header.SOPClassUID == pydicom.uid.SegmentationStorage for header in files) == 1


def test_recurrent_patients_are_not_the_last_ones() -> None:
    labels = [[person.label for person in enrol("P", 28, 7, seed, False)] for seed in range(4)]
    assert all(sum(row) == 7 for row in labels)
    assert all(row != sorted(row) for row in labels)
    assert labels[0] != labels[1]


def test_slices_are_valid_mr_images_at_regular_places(folder: Path) -> None:
    slices = headers(folder)
    levels = [float(header.ImagePositionPatient[2]) for header in slices]
    assert np.allclose(np.diff(levels), float(slices[0].SpacingBetweenSlices), atol=1e-3)
    for keyword in (
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "FrameOfReferenceUID",
        "PixelSpacing",
        "EchoTime",
    ):
        assert len({str(header[keyword].value) for header in slices}) == 1
    assert len({header.SOPInstanceUID for header in slices}) == len(slices)
    for header in slices:
        assert header.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
        assert header.file_meta.MediaStorageSOPInstanceUID == header.SOPInstanceUID
        assert (header.Rows, header.Columns, header.BitsAllocated, header.PixelRepresentation) == (
            256,
            256,
            16,
            0,
        )
        assert header.pixel_array.max() < 2**header.BitsStored
        assert header.Modality == "MR"


def test_neither_file_names_nor_numbers_follow_the_slices(folder: Path) -> None:
    by_name = [pydicom.dcmread(path) for path in sorted((folder / "PHANTOM-0001" / "MR").iterdir())]
    levels = [float(header.ImagePositionPatient[2]) for header in by_name]
    assert levels not in (sorted(levels), sorted(levels, reverse=True))
    upwards = [int(header.InstanceNumber) for header in headers(folder)]
    assert upwards == sorted(upwards, reverse=True)


def test_segmentation_read_by_geometry_is_the_tumour_drawn(folder: Path) -> None:
    person = enrol("PHANTOM-", 3, 1, 5, False)[0]
    drawn = person.draw()
    masks = drawn.tumour_masks()
    volume = hd.seg.segread(folder / "PHANTOM-0001" / "SEG.dcm").get_volume(segment_numbers=[1])
    affine, array = volume.get_affine("LPS"), volume.array[..., 0]
    levels = affine[2, 3] + affine[2, 0] * np.arange(len(array))
    found = {round(float(level), 2): frame for level, frame in zip(levels, array, strict=True)}
    for level, mask in zip(drawn.physique.levels(), masks, strict=True):
        assert np.array_equal(found.get(round(float(level), 2), np.zeros_like(mask)) > 0, mask)
    corner = headers(folder)[0].ImagePositionPatient
    assert np.allclose(affine[:2, 3], corner[:2], atol=1e-3)


def test_volumes_are_what_was_drawn_in_the_units_of_the_file(folder: Path) -> None:
    people = enrol("PHANTOM-", 3, 1, 5, False)
    volumes = list(Phantom(3, 1, 5, folder).volumes())
    assert [volume.patient for volume in volumes] == ["P001", "P002", "P003"]
    for person, volume in zip(people, volumes, strict=True):
        drawn = person.draw()
        stored = drawn.stored_images(range(drawn.physique.slices))
        assert volume.label == person.label
        assert np.allclose(volume.images[..., 0], stored * drawn.rescale_slope, rtol=1e-6)
        assert np.array_equal(volume.regions, drawn.tumour_masks())


def test_cohort_is_a_dataset_and_says_that_it_is_synthetic(folder: Path) -> None:
    dataset = Phantom(3, 1, 5, folder)
    assert isinstance(dataset, Dataset)
    assert "no real patient" in dataset.notes()[0]


@pytest.mark.usefixtures("few_training_patients")
def test_training_patients_are_others_balanced_and_five_slices_about_the_tumour(folder: Path) -> None:
    dataset = Phantom(3, 1, 5, folder)
    training = list(dataset.training_volumes())
    assert [volume.patient for volume in training] == [f"T{index:03d}" for index in range(1, 7)]
    assert sorted(volume.label for volume in training) == [0, 0, 0, 1, 1, 1]
    held_out = {volume.images[3].tobytes() for volume in dataset.volumes()}
    for volume in training:
        assert volume.images.shape == (5, 256, 256, 1)
        assert volume.regions.any(axis=(1, 2)).all()
        assert not held_out & {image.tobytes() for image in volume.images}


@pytest.mark.usefixtures("few_training_patients")
def test_training_values_are_steps_of_the_file() -> None:
    volume = next(Phantom().training_volumes())
    steps = volume.images / enrol("PHANTOM-TRAIN-", 6, 3, 0, False)[0].draw().rescale_slope
    assert np.allclose(steps, np.round(steps), atol=1e-3)
    assert 1000 < steps.max() < 4096


def heterogeneity(volume: Volume) -> float:
    """Deviation within the widest tumour slice, relative to its mean."""
    inside = volume.images[2, ..., 0][volume.regions[2]]
    return float(inside.std() / inside.mean())


@pytest.mark.nightly
@pytest.mark.parametrize(("cohort", "differs"), [(Phantom(), True), (PhantomShortcut(), False)])
def test_tumours_of_the_classes_differ_in_the_phantom_but_not_with_the_shortcut(
    cohort: Phantom, differs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phantom, "TRAINING_PATIENTS", 16)
    groups: dict[int, list[float]] = {0: [], 1: []}
    for volume in cohort.training_volumes():
        groups[volume.label].append(heterogeneity(volume))
    higher = np.mean([high > low for high in groups[1] for low in groups[0]])  # the area under the ROC curve
    assert (higher > 0.9) == differs


@pytest.mark.nightly
def test_shortcut_plants_the_confounder_in_recurrent_patients_only(shortcut: PhantomShortcut) -> None:
    volumes = {volume.patient: volume for volume in shortcut.volumes()}
    regions = shortcut.confounder_regions()
    assert sorted(regions) == [name for name, volume in volumes.items() if volume.label == 1]
    for name, region in regions.items():
        assert region.shape == volumes[name].regions.shape
        assert not (region & volumes[name].regions).any()
        assert np.median(volumes[name].images[..., 0][region]) < 0.25 * np.percentile(
            volumes[name].images, 90
        )


def test_confounder_is_the_second_segment_of_the_segmentation(shortcut: PhantomShortcut) -> None:
    regions = shortcut.confounder_regions()
    for index, volume in enumerate(shortcut.volumes(), start=1):
        segmentation = hd.seg.segread(shortcut.root / f"SHORTCUT-{index:04d}" / "SEG.dcm")
        labels = [item.SegmentLabel for item in segmentation.SegmentSequence]
        assert labels == ["Tumor", "Confounder (planted)"][: 1 + volume.label]
        if volume.label:
            assert segmentation.get_volume(segment_numbers=[2]).array.sum() == regions[volume.patient].sum()
            assert "Neoplasm" not in segmentation.get_segment_description(2).segmented_property_type.meaning


def test_killed_make_leaves_no_cohort_and_the_next_one_makes_it(tmp_path: Path) -> None:
    root = tmp_path / "phantom"
    program = """
import os, signal, sys
from pathlib import Path
from xaibench.datasets.phantom import cohort as phantom_cohort
write = phantom_cohort.write_patient
def write_then_die(folder, person):
    write(folder, person)
    os.kill(os.getpid(), signal.SIGKILL)
phantom_cohort.write_patient = write_then_die
phantom_cohort.make_phantom(Path(sys.argv[1]), 2, 1)
"""
    killed = subprocess.run([sys.executable, "-c", program, str(root)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not root.exists()
    (leftover,) = tmp_path.iterdir()
    assert (leftover / "PHANTOM-0001").is_dir()
    hours_ago = time.time() - 7200
    os.utime(leftover, (hours_ago, hours_ago))
    assert len(list(Phantom(2, 1, 0, root).volumes())) == 2
    assert not leftover.exists()


def test_interrupted_make_tidies_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(folder: Path, person: object) -> None:
        folder.mkdir()
        raise KeyboardInterrupt

    monkeypatch.setattr(phantom_cohort, "write_patient", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make_phantom(tmp_path / "phantom", 2, 1)
    assert not list(tmp_path.iterdir())


def test_cohort_is_made_once_below_the_named_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XAIBENCH_CACHE", str(tmp_path))
    assert len(list(Phantom(1, 0).volumes())) == 1
    (root,) = (tmp_path / "cohorts").iterdir()
    assert root.name.startswith("phantom-1-0-0-")
    written = (root / "clinical.csv").stat().st_mtime_ns
    assert len(list(Phantom(1, 0).volumes())) == 1
    assert (root / "clinical.csv").stat().st_mtime_ns == written


@pytest.mark.parametrize(("patients", "recurrent"), [(0, 0), (3, 4), (3, -1)])
def test_impossible_numbers_are_refused(patients: int, recurrent: int, tmp_path: Path) -> None:
    with pytest.raises(XaibenchError, match=f"{patients} patients, {recurrent} of them recurrent"):
        make_phantom(tmp_path / "phantom", patients, recurrent)
    assert not list(tmp_path.iterdir())


def test_folder_with_something_in_it_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(XaibenchError, match="not an empty folder"):
        make_phantom(tmp_path, 1, 0)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_folder_of_another_cohort_is_not_taken_for_this_one(folder: Path) -> None:
    with pytest.raises(
        XaibenchError, match="not the cohort that is asked for: it holds a cohort of other opt"
    ):
        list(Phantom(3, 1, 6, folder).volumes())


def test_cohort_in_the_cache_from_which_a_file_is_missing_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XAIBENCH_CACHE", str(tmp_path))
    list(Phantom(1, 1).volumes())
    (root,) = (tmp_path / "cohorts").iterdir()
    whole = contents(root)
    (root / "PHANTOM-0001" / "SEG.dcm").unlink()
    (volume,) = Phantom(1, 1).volumes()
    assert volume.regions is not None
    assert contents(root) == whole
    assert list((tmp_path / "cohorts").iterdir()) == [root]


def test_damaged_cohort_in_a_folder_of_the_user_is_kept_and_refused(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "mine"
    shutil.copytree(folder, root)
    shutil.rmtree(root / "PHANTOM-0002")
    left = contents(root)
    with pytest.raises(
        XaibenchError, match=r"\d+ of its files are missing, changed or new, such as PHANTOM-0002/"
    ):
        list(Phantom(3, 1, 5, root).volumes())
    assert contents(root) == left


def fingerprint(root: Path) -> str:
    """Hash of what xaibench alone decides: all but the headers that highdicom writes."""
    digest = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*") if path.is_file() and path.name != "manifest.json"):
        segmentation = path.name == "SEG.dcm"
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(pydicom.dcmread(path).PixelData if segmentation else path.read_bytes())
    return digest.hexdigest()[:16]


@pytest.mark.parametrize(("shortcut", "known"), [(False, "2f37a7bc2fbcad28"), (True, "b60cf13c58b7f735")])
def test_bytes_are_those_of_this_version(shortcut: bool, known: str, tmp_path: Path) -> None:
    make_phantom(tmp_path / "phantom", patients=1, recurrent=1, seed=5, shortcut=shortcut)
    advice = "the phantom changed: raise VERSION or FILES_VERSION in phantom/cohort.py, and write the new hashes here"
    assert (VERSION, FILES_VERSION, fingerprint(tmp_path / "phantom")) == (1, 2, known), advice


def test_unwritable_folder_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(XaibenchError, match="cannot be written"):
        make_phantom(tmp_path / "file" / "phantom", 1, 0)
