"""Arrays in memory and in a file become a cohort."""

import numpy as np
import pytest

from xaibench.api import AcceptsPaths, Checkable, Dataset, XaibenchError
from xaibench.datasets.arrays import Arrays
from xaibench.datasets.arrays_file import ArraysFile
from xaibench.harness.contract.datasets import EVERY_DATASET

DRAW = np.random.default_rng(0)
IMAGES = DRAW.random((6, 5, 7, 3)).astype(np.float32)
REGIONS = DRAW.random((6, 5, 7)) < 0.2
LABELS = (0, 1, 1, 0, 2, 2)
KEY = b"a key of the test"


@pytest.mark.parametrize("check", EVERY_DATASET, ids=lambda check: check.__name__)
def test_arrays_keep_the_contract(check):
    check(Arrays(IMAGES, REGIONS, LABELS))


def test_arrays_are_a_dataset():
    assert isinstance(Arrays(IMAGES), Dataset)
    assert isinstance(Arrays(IMAGES), Checkable)


def test_each_image_is_a_patient_unless_told():
    volumes = list(Arrays(IMAGES, REGIONS, LABELS).volumes())
    assert [volume.patient for volume in volumes] == ["P001", "P002", "P003", "P004", "P005", "P006"]
    assert [volume.label for volume in volumes] == list(LABELS)
    for image, region, volume in zip(IMAGES, REGIONS, volumes, strict=True):
        np.testing.assert_array_equal(volume.images, image[None])
        np.testing.assert_array_equal(volume.regions, region[None])


def test_images_of_a_patient_are_one_volume_in_the_order_given():
    arrays = Arrays(IMAGES, labels=[1, 0, 1, 0, 1, 2], patients=["B", "A", "B", "A", "B", 7])
    volumes = list(arrays.volumes())
    np.testing.assert_array_equal(volumes[0].images, IMAGES[[0, 2, 4]])
    np.testing.assert_array_equal(volumes[1].images, IMAGES[[1, 3]])
    np.testing.assert_array_equal(volumes[2].images, IMAGES[[5]])
    names = ("P001-s00", "P002-s00", "P001-s01", "P002-s01", "P001-s02", "P003-s00")
    assert arrays.case_names() == names
    assert arrays.notes() == ["6 images of 5x7 pixels and 3 channels of 3 patients; 0 have a region."]


def test_cases_are_named_as_the_run_names_them():
    from xaibench.api import Intensity, fit

    arrays = Arrays(IMAGES, patients="ABABAB")
    cases = {
        fit(volume, index, (5, 7, 3), Intensity.RAW).id: image
        for volume in arrays.volumes()
        for index, image in enumerate(volume.images)
    }
    for name, image in zip(arrays.case_names(), IMAGES, strict=True):
        np.testing.assert_array_equal(cases[name], image)


def test_patients_are_known_again_and_never_shown():
    arrays = Arrays(IMAGES, patients=["Doe", "Roe", "Doe", "Roe", "Doe", "Roe"])
    again = Arrays(IMAGES[:2], patients=["Roe", "Doe"])
    first, other = (volume.identity.under(KEY) for volume in arrays.volumes())
    assert [volume.identity.under(KEY) for volume in again.volumes()] == [other, first]
    assert not any(volume.identity.under(KEY) for volume in Arrays(IMAGES).volumes())
    shown = f"{arrays.notes()} {arrays.check_table()} {[volume.patient for volume in arrays.volumes()]}"
    assert "Doe" not in shown + repr(arrays)


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float64, bool])
def test_any_number_becomes_float32_with_a_channel(kind):
    images = (DRAW.random((2, 4, 4)) * 100).astype(kind)
    for image, volume in zip(images, Arrays(images).volumes(), strict=True):
        assert volume.images.dtype == np.float32
        np.testing.assert_array_equal(volume.images[0, ..., 0], image.astype(np.float32))


def test_region_is_whatever_is_not_zero_and_an_empty_one_is_none():
    regions = np.zeros((2, 5, 7), np.uint8)
    regions[0, 2, 3], regions[0, 1, 1] = 255, 1
    first, second = Arrays(IMAGES[:2], regions).volumes()
    assert np.argwhere(first.regions).tolist() == [[0, 1, 1], [0, 2, 3]]
    assert second.regions is None


@pytest.mark.parametrize(
    ("labels", "names", "expected", "found"),
    [
        ([0, 2, 1, 0, 0, 0], None, ("class 0", "class 1", "class 2"), [(0,), (2,), (1,), (0,), (0,), (0,)]),
        ([0, 1, 1, 1, 0, 0], ("no", "yes", "perhaps"), ("no", "yes", "perhaps"), None),
        (["b", "a", "C", "a", "a", "a"], None, ("a", "b", "C"), [(1,), (0,), (2,), (0,), (0,), (0,)]),
        (["b", "a", "b", "b", "b", "b"], ("b", "a"), ("b", "a"), [(0,), (1,), (0,), (0,), (0,), (0,)]),
        (np.array([[1], [0], [1], [0], [0], [0]], np.uint8), None, ("class 0", "class 1"), None),
        (np.eye(6, 3), None, ("class 0", "class 1", "class 2"), [(0,), (1,), (2,), (), (), ()]),
        ([[1, 1]] * 6, ("x", "y"), ("x", "y"), [(0, 1)] * 6),
        (None, None, (), [()] * 6),
    ],
)
def test_labels_are_numbers_names_or_columns(labels, names, expected, found):
    arrays = Arrays(IMAGES, labels=labels, names=names)
    assert arrays.class_names == expected
    if found:
        assert [volume.labels for volume in arrays.volumes()] == found


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        (Arrays(IMAGES[0, 0]), r"The images are float32 \(7, 3\)"),
        (Arrays(IMAGES[:0]), r"The images are float32 \(0, 5, 7, 3\)"),
        (Arrays(np.array([["a"]])), "The images are <U1"),
        (Arrays(IMAGES, REGIONS[:, :4]), r"The regions are bool \(6, 4, 7\), but the images are"),
        (Arrays(IMAGES, labels=[0, 1]), "2 labels are given for 6 images"),
        (Arrays(IMAGES, labels=[0, 1, -1, 0, 0, 0]), "something else than whole numbers from 0"),
        (Arrays(IMAGES, labels=[0, 1, 0.5, 0, 0, 0]), "something else than whole numbers from 0"),
        (Arrays(IMAGES, labels=[0, 1, np.nan, 0, 0, 0]), "something else than whole numbers from 0"),
        (Arrays(IMAGES, labels=[0, 1, None, 0, 0, 0]), "The labels are object"),
        (Arrays(IMAGES, labels=np.full((6, 2), 0.3)), "hold 0 and 1 only"),
        (Arrays(IMAGES, labels=LABELS, names=("a", "b")), "number 3 classes, but 2 have a name"),
        (Arrays(IMAGES, labels=["a"] * 5 + ["c"], names=("a", "b")), "label 'c' is none of the classes a, b"),
        (Arrays(IMAGES, patients=["A"]), "1 patients are given for 6 images"),
        (Arrays(IMAGES, labels=LABELS, patients=["A"] * 6), "P001 has images of several classes"),
    ],
)
def test_what_does_not_fit_is_said(arrays, said):
    with pytest.raises(XaibenchError, match=said):
        list(arrays.volumes())


def test_check_table_has_a_row_a_patient():
    header, rows, problems = Arrays(IMAGES, REGIONS, LABELS, names=("a", "b", "c")).check_table()
    assert [row[header.index("label")] for row in rows] == ["a", "b", "b", "a", "c", "c"]
    assert rows[0][header.index("size")] == "5x7"
    assert problems == []


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "cohort.npz"
    np.savez(path, images=IMAGES, regions=REGIONS, labels=LABELS, class_names=["no", "yes", "?"], extra=[1])
    return path


def test_file_reads_as_the_arrays_in_it(file):
    dataset = ArraysFile(file)
    assert isinstance(dataset, Dataset)
    assert isinstance(dataset, AcceptsPaths)
    assert dataset.class_names == ("no", "yes", "?")
    for read, given in zip(dataset.volumes(), Arrays(IMAGES, REGIONS, LABELS).volumes(), strict=True):
        np.testing.assert_array_equal(read.images, given.images)
        np.testing.assert_array_equal(read.regions, given.regions)
        assert read.labels == given.labels
    assert dataset.notes() == Arrays(IMAGES, REGIONS, LABELS).notes()
    assert len(dataset.check_table()[1]) == 6


def test_split_chooses_among_the_arrays_of_medmnist(tmp_path):
    path = tmp_path / "pathmnist.npz"
    label = np.array(LABELS, np.uint8)[:, None]
    np.savez(path, train_images=IMAGES[:1], train_labels=label[:1], test_images=IMAGES, test_labels=label)
    assert [volume.label for volume in ArraysFile(path, "test").volumes()] == list(LABELS)
    assert len(list(ArraysFile(path, split="train").volumes())) == 1
    with pytest.raises(XaibenchError, match=r"no array images \(found: train_images, .*--split"):
        list(ArraysFile(path).volumes())


def test_the_size_of_a_pixel_is_not_known_unless_it_is_given(tmp_path):
    path = tmp_path / "cohort.npz"
    assert {volume.spacing_mm for volume in Arrays(IMAGES).volumes()} == {None}
    np.savez(path, images=IMAGES, spacing_mm=[0.5, 0.25])
    assert {volume.spacing_mm for volume in ArraysFile(path).volumes()} == {(0.5, 0.25)}
    np.savez(path, images=IMAGES, spacing_mm=[0.5])
    with pytest.raises(XaibenchError, match="spacing_mm must hold the distance"):
        list(ArraysFile(path).volumes())


def test_file_is_told_by_name_and_kind(file, tmp_path):
    assert ArraysFile.accepts(file)
    (tmp_path / "no.npz").write_bytes(b"no archive")
    (tmp_path / "archive.zip").write_bytes(file.read_bytes())
    for other in ("no.npz", "archive.zip", "missing.npz", "."):
        assert not ArraysFile.accepts(tmp_path / other)


def test_damaged_file_and_pickles_are_refused(file, tmp_path):
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    np.savez(tmp_path / "objects.npz", images=np.array([{}], dtype=object))
    np.save(tmp_path / "single.npy", IMAGES)
    for path in (file, tmp_path / "objects.npz", tmp_path / "single.npy", tmp_path / "missing.npz"):
        with pytest.raises(XaibenchError, match=r"no \.npz file of plain arrays"):
            list(ArraysFile(path).volumes())
