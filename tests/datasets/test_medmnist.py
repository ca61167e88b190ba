"""Files as MedMNIST publishes them become a cohort: splits, grey and colour, several labels, volumes."""

from pathlib import Path

import numpy as np
import pytest

from xaibench.api import XaibenchError
from xaibench.datasets.arrays_file import ArraysFile
from xaibench.datasets.medmnist import MedMnist, Split
from xaibench.harness.configured import find_source
from xaibench.harness.contract.datasets import EVERY_DATASET

DRAW = np.random.default_rng(0)


def published(
    folder: Path,
    name: str = "breastmnist",
    shape: tuple[int, ...] = (28, 28),
    columns: int = 1,
    classes: int = 2,
) -> Path:
    """File of 5 training, 3 validation and 4 test images; uint8, labels `[n columns]`."""
    arrays = {}
    for split, count in (("train", 5), ("val", 3), ("test", 4)):
        arrays[f"{split}_images"] = DRAW.integers(0, 256, (count, *shape)).astype(np.uint8)
        arrays[f"{split}_labels"] = DRAW.integers(0, classes, (count, columns)).astype(np.uint8)
    np.savez_compressed(folder / f"{name}.npz", **arrays)
    return folder / f"{name}.npz"


@pytest.mark.parametrize("check", EVERY_DATASET, ids=lambda check: check.__name__)
def test_it_keeps_the_contract(check, tmp_path):
    check(MedMnist(published(tmp_path)))


@pytest.mark.parametrize(("split", "count"), [("train", 5), ("val", 3), ("test", 4)])
def test_a_split_is_read_in_its_order(split: Split, count: int, tmp_path: Path) -> None:
    path = published(tmp_path)
    with np.load(path) as held:
        images, labels = held[f"{split}_images"], held[f"{split}_labels"]
    volumes = list(MedMnist(path, split).volumes())
    assert len(volumes) == count
    for volume, image, label in zip(volumes, images, labels, strict=True):
        np.testing.assert_array_equal(volume.images, image[None, ..., None].astype(np.float32))
        assert volume.labels == tuple(label)
        assert volume.regions is None
        assert volume.spacing_mm is None
    assert MedMnist(path).split == "test"


def test_colours_keep_their_channels(tmp_path: Path) -> None:
    first = next(MedMnist(published(tmp_path, "pathmnist", (28, 28, 3), classes=9)).volumes())
    assert first.images.shape == (1, 28, 28, 3)


def test_several_labels_are_read_as_such(tmp_path: Path) -> None:
    path = published(tmp_path, "chestmnist_64", (64, 64), columns=14)
    dataset = MedMnist(path)
    with np.load(path) as held:
        expected = [tuple(np.flatnonzero(row)) for row in held["test_labels"]]
    assert [volume.labels for volume in dataset.volumes()] == expected
    assert dataset.class_names[:3] == ("atelectasis", "cardiomegaly", "effusion")
    assert len(dataset.class_names) == 14


def test_a_volume_is_a_patient_of_its_slices(tmp_path: Path) -> None:
    path = published(tmp_path, "nodulemnist3d", (6, 5, 4))
    with np.load(path) as held:
        images, labels = held["val_images"], held["val_labels"]
    volumes = list(MedMnist(path, "val").volumes())
    assert len(volumes) == 3
    for volume, image, label in zip(volumes, images, labels, strict=True):
        np.testing.assert_array_equal(volume.images, image[..., None].astype(np.float32))
        assert volume.labels == tuple(label)
    assert MedMnist(path).class_names == ("benign", "malignant")


def test_classes_of_an_unknown_file_are_numbered(tmp_path: Path) -> None:
    assert set(MedMnist(published(tmp_path, "mine")).class_names) <= {"class 0", "class 1"}


def test_what_is_read_and_what_is_not_known_is_said(tmp_path: Path) -> None:
    notes = MedMnist(published(tmp_path), "val").notes()
    assert notes[0] == "The split val is read."
    assert "does not say whose an image is" in notes[-1]


def test_the_file_is_told_by_its_arrays(tmp_path: Path) -> None:
    path, other = published(tmp_path), tmp_path / "other.npz"
    np.savez(other, images=DRAW.random((2, 4, 4)), labels=[0, 1])
    assert find_source(["datasets"], str(path)).plugin.cls is MedMnist
    assert find_source(["datasets"], str(other)).plugin.cls is ArraysFile
    assert not MedMnist.accepts(tmp_path / "missing.npz")
    (tmp_path / "no.npz").write_bytes(b"no archive")
    assert not MedMnist.accepts(tmp_path / "no.npz")


def test_a_damaged_file_is_one_sentence(tmp_path: Path) -> None:
    path = published(tmp_path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(XaibenchError, match=r"no \.npz file of plain arrays"):
        list(MedMnist(path).volumes())
