"""Folders of pictures become a cohort."""

import numpy as np
import pytest
from PIL import Image

from xaibench.api import AcceptsPaths, Checkable, Dataset, DatasetFacts, Labelled, XaibenchError
from xaibench.datasets.dicom.folder import DicomFolder
from xaibench.datasets.image_folder import ImageFolder
from xaibench.harness.contract.datasets import EVERY_DATASET

DRAW = np.random.default_rng(0)
KEY = b"a key of the test"


def grey(high=256, kind=np.uint8, size=(12, 9)):
    return DRAW.integers(0, high, size).astype(kind)


def colour(size=(12, 9)):
    return DRAW.integers(0, 256, (*size, 3)).astype(np.uint8)


def save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return pixels


def table(root, text):
    (root / "labels.csv").write_text(text)


def only(root, **options):
    (volume,) = ImageFolder(root, **options).volumes()
    return volume


@pytest.fixture
def classes(tmp_path):
    """Two classes of three pictures, two of them with a mask."""
    for name in "abc":
        for label in ("benign", "malignant"):
            save(tmp_path / label / f"{label} {name}.png", colour())
    mask = np.zeros((12, 9), np.uint8)
    mask[2:5, 3:7] = 255
    save(tmp_path / "benign" / "benign a_mask.png", mask)
    save(tmp_path / "benign" / "benign a_mask_1.png", mask[::-1])
    save(tmp_path / "masks" / "malignant" / "malignant b.png", mask)
    return tmp_path


@pytest.mark.parametrize("check", EVERY_DATASET, ids=lambda check: check.__name__)
def test_folder_keeps_the_contract(check, classes):
    check(ImageFolder(classes))


def test_it_is_a_dataset_that_accepts_paths(classes):
    assert DatasetFacts(summary=ImageFolder.summary, path_field=ImageFolder.path_field)
    for noun in (Dataset, AcceptsPaths, Checkable):
        assert isinstance(ImageFolder(classes), noun)
    assert ImageFolder.accepts(classes)
    assert not DicomFolder.accepts(classes)
    assert not ImageFolder.accepts(classes / "benign" / "benign a.png")


def test_folder_of_an_image_is_its_class(classes):
    dataset = ImageFolder(classes)
    assert dataset.class_names == ("benign", "malignant")
    assert [volume.label for volume in dataset.volumes()] == [0, 0, 0, 1, 1, 1]


def test_masks_are_found_beside_the_image_and_in_their_folder(classes):
    volumes = list(ImageFolder(classes).volumes())
    mask = np.zeros((12, 9), bool)
    mask[2:5, 3:7] = True
    np.testing.assert_array_equal(volumes[0].regions, [mask | mask[::-1]])
    np.testing.assert_array_equal(volumes[4].regions, [mask])
    assert [volume.regions is None for volume in volumes] == [False, True, True, True, False, True]


def test_table_gives_label_patient_and_names(tmp_path):
    pixels = [save(tmp_path / "images" / f"{name}.png", grey()) for name in "abcd"]
    table(
        tmp_path,
        "image,label,patient,label_name\na.png,1,Doe,ill\nimages/b.png,0,Roe,well\nc,1,Doe,ill\nd,,Poe,\n",
    )
    dataset = ImageFolder(tmp_path)
    first, second = dataset.volumes()
    assert dataset.class_names == ("well", "ill")
    np.testing.assert_array_equal(first.images[..., 0], np.stack([pixels[0], pixels[2]]).astype(np.float32))
    assert (first.patient, first.label, second.patient, second.label) == ("P001", 1, "P003", 0)
    assert "P002: labels.csv gives it no label, so it is skipped." in dataset.notes()
    assert first.identity.under(KEY) != second.identity.under(KEY)
    assert "Doe" not in f"{dataset.notes()} {dataset.check_table()}"


def test_table_may_name_patients_whom_a_rule_finds(tmp_path):
    for name in ("p1_a", "p1_b", "p2_a"):
        save(tmp_path / f"{name}.png", grey())
    table(tmp_path, "patient,label\np1,yes\np2,no\n")
    dataset = ImageFolder(tmp_path, patient=r"^(p\d)_")
    assert [(len(volume.images), volume.label) for volume in dataset.volumes()] == [(2, 1), (1, 0)]
    assert dataset.class_names == ("no", "yes")


def test_table_and_folder_that_do_not_fit_are_told(tmp_path):
    for name in "abcd":
        save(tmp_path / f"{name}.png", grey())
    table(tmp_path, "image,label\na,1\nx,0\nb,0\ny,0\nd,\n")
    dataset = ImageFolder(tmp_path)
    assert isinstance(dataset, Labelled)
    assert dataset.label_gaps() == [
        "labels.csv labels 2 images that the folder does not hold (lines 3, 5).",
        "P003: labels.csv gives it no label, so it is skipped.",
    ]
    assert "P003, P004: labels.csv gives it no label, so it is skipped." in dataset.notes()


def test_file_names_are_no_identity(classes):
    assert not any(volume.identity.under(KEY) for volume in ImageFolder(classes).volumes())


def test_only_images_that_fit_the_rule_are_read(classes):
    assert len(list(ImageFolder(classes, only="malignant|a$").volumes())) == 4


@pytest.mark.parametrize("ending", ["png", "tif", "bmp"])
@pytest.mark.parametrize("make", [grey, colour])
def test_pixels_are_those_of_the_file(tmp_path, ending, make):
    pixels = save(tmp_path / f"a.{ending}", make())
    table(tmp_path, "image,label\na,0\n")
    found = only(tmp_path).images[0]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, pixels.reshape(12, 9, -1).astype(np.float32))


@pytest.mark.parametrize(
    ("ending", "pixels"),
    [
        ("png", grey(65536, np.uint16)),
        ("tif", grey(65536, np.uint16)),
        ("tif", DRAW.random((12, 9), np.float32)),
    ],
)
def test_deep_grey_keeps_its_values(tmp_path, ending, pixels):
    save(tmp_path / f"a.{ending}", pixels)
    table(tmp_path, "image,label\na,0\n")
    np.testing.assert_array_equal(only(tmp_path).images[0, ..., 0], pixels.astype(np.float32))


def test_jpeg_is_read_and_turned_as_its_camera_says(tmp_path):
    pixels = np.repeat(np.repeat(grey(size=(4, 3)), 16, axis=0), 16, axis=1)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rows of the file are columns of the scene
    save(tmp_path / "a.jpg", pixels, quality=95, exif=exif)
    table(tmp_path, "image,label\na,0\n")
    found = only(tmp_path).images[0, ..., 0]
    assert found.shape == (48, 64)
    assert np.abs(found - np.rot90(pixels, -1).astype(np.float32)).mean() < 2


def test_palette_and_opaque_transparency_become_colours(tmp_path):
    pixels = colour()
    palette = Image.fromarray(pixels).quantize(16)
    palette.save(tmp_path / "a.png")
    Image.fromarray(pixels).convert("RGBA").save(tmp_path / "b.png")
    table(tmp_path, "image,label\na,0\nb,1\n")
    first, second = ImageFolder(tmp_path).volumes()
    np.testing.assert_array_equal(first.images[0], np.asarray(palette.convert("RGB"), np.float32))
    np.testing.assert_array_equal(second.images[0], pixels.astype(np.float32))


@pytest.mark.parametrize("kind", ["labels", "palette", "colour", "jpeg", "bits"])
def test_mask_marks_what_is_not_black(tmp_path, kind):
    marked = np.zeros((32, 24), bool)
    marked[8:20, 6:15] = True
    numbers = marked.astype(np.uint8)
    made = {
        "labels": lambda: Image.fromarray(numbers),
        "palette": lambda: _palette(numbers),
        "colour": lambda: Image.fromarray(np.stack([numbers * 0, numbers * 7, numbers * 0], axis=-1)),
        "jpeg": lambda: Image.fromarray(numbers * 255),
        "bits": lambda: Image.fromarray(marked),
    }[kind]()
    save(tmp_path / "images" / "a.png", grey(size=(32, 24)))
    (tmp_path / "masks").mkdir()
    made.save(tmp_path / "masks" / ("a.jpg" if kind == "jpeg" else "a.png"))
    table(tmp_path, "image,label\na,0\n")
    found = only(tmp_path, labels=tmp_path / "labels.csv").regions[0]
    assert (found != marked).sum() == 0


def _palette(numbers):
    picture = Image.fromarray(numbers).convert("P")
    picture.putpalette([10, 10, 10, 200, 0, 0])
    return picture


def _deep_colour(path):
    import cv2

    cv2.imwrite(str(path), np.full((12, 9, 3), 40000, np.uint16))


def _pages(path):
    Image.fromarray(grey()).save(path, "TIFF", save_all=True, append_images=[Image.fromarray(grey())])


def _transparent(path):
    Image.fromarray(np.full((12, 9, 4), 128, np.uint8)).save(path, "PNG")


@pytest.mark.parametrize(
    ("name", "make", "said"),
    [
        ("x.png", lambda path: path.write_bytes(b"no picture"), "is damaged, or no picture"),
        ("x.png", _deep_colour, "has 16 bits a colour"),
        ("x.tif", _pages, "holds several pages"),
        ("x.png", _transparent, "has transparent pixels"),
    ],
)
def test_unfit_picture_is_left_out_and_said(classes, name, make, said):
    make(classes / "benign" / name)
    dataset = ImageFolder(classes)
    assert len(list(dataset.volumes())) == 6
    (problem,) = dataset.check_table()[2]
    assert problem.startswith(f"P004: a file {said}")
    assert problem.endswith(f"it is left out. [benign/{name}]")


def test_cut_picture_is_left_out(classes):
    path = classes / "malignant" / "malignant c.png"
    path.write_bytes(path.read_bytes()[:120])
    dataset = ImageFolder(classes)
    assert len(list(dataset.volumes())) == 5
    assert (
        "P006: a file is damaged, or no picture of a kind that can be read; it is left out."
        in dataset.notes()
    )


def test_mask_of_another_size_costs_the_mask_only(classes):
    save(classes / "masks" / "malignant" / "malignant b.png", np.full((6, 9), 255, np.uint8))
    dataset = ImageFolder(classes)
    assert list(dataset.volumes())[4].regions is None
    assert "P005: a mask is 6x9 but its image is 12x9; it is left out." in dataset.notes()


def test_patient_with_pictures_of_two_sizes_or_classes_is_skipped(tmp_path):
    for name, size in (
        ("p1_a", (8, 8)),
        ("p1_b", (9, 8)),
        ("p2_a", (8, 8)),
        ("p2_b", (8, 8)),
        ("p3_a", (8, 8)),
    ):
        save(tmp_path / f"{name}.png", grey(size=size))
    table(tmp_path, "image,label\np1_a,0\np1_b,0\np2_a,0\np2_b,1\np3_a,1\n")
    dataset = ImageFolder(tmp_path, patient=r"p\d")
    assert [volume.patient for volume in dataset.volumes()] == ["P003"]
    assert "P001: its pictures differ in size or in channels. The patient is skipped." in dataset.notes()
    assert "P002: its images have several classes, so it is skipped." in dataset.notes()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"root": "missing"}, "is no folder"),
        ({"only": "nothing of the kind"}, "holds no such images"),
        ({"patient": "("}, "is no regular expression"),
        ({"labels": "missing.csv"}, "holds no labels"),
    ],
)
def test_what_cannot_be_used_is_refused(classes, options, said):
    given = {
        name: classes / value if name in ("root", "labels") else value for name, value in options.items()
    }
    with pytest.raises(XaibenchError, match=said):
        list(ImageFolder(**({"root": classes} | given)).volumes())


def test_folders_that_are_no_classes_are_refused(tmp_path):
    for name in "abcdef":
        save(tmp_path / f"DOE {name}" / "1.png", grey())
    with pytest.raises(XaibenchError, match=r"are no classes; write labels\.csv"):
        list(ImageFolder(tmp_path).volumes())
    flat = tmp_path / "flat" / "images"
    save(flat / "1.png", grey())
    with pytest.raises(XaibenchError, match="are no classes"):
        list(ImageFolder(flat.parent).volumes())


def test_image_and_mask_that_differ_in_their_ending_only_are_refused(classes):
    save(classes / "benign" / "benign a.jpg", grey())
    with pytest.raises(XaibenchError, match="1 files have the name of another but for its ending"):
        list(ImageFolder(classes).volumes())


def test_folder_in_which_nothing_can_be_read_is_refused_with_the_reason(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    table(tmp_path, "image,label\na,0\n")
    with pytest.raises(XaibenchError, match=r"no patient can be read\. P001: a file is damaged"):
        list(ImageFolder(tmp_path).volumes())


def test_table_shows_what_would_be_read(classes):
    header, rows, problems = ImageFolder(classes).check_table()
    assert rows[0] == ["P001", "", "1", "12x9", "", "yes", "benign", ""]
    assert len(rows) == 6
    assert problems == []
    assert len(header) == len(rows[0])
    assert ImageFolder(classes).notes() == [
        "Pictures do not say how large a pixel is: nothing is measured in mm."
    ]


def test_a_picture_may_have_several_labels_or_none(tmp_path):
    for name in "abc":
        Image.fromarray(np.full((6, 5), 7, np.uint8)).save(tmp_path / f"{name}.png")
    (tmp_path / "labels.csv").write_text("image,label\na.png,mass|effusion\nb.png,No Finding\nc.png,mass\n")
    dataset = ImageFolder(tmp_path)
    assert [volume.labels for volume in dataset.volumes()] == [(0, 1), (), (1,)]
    assert dataset.class_names == ("effusion", "mass")
    assert [row[6] for row in dataset.check_table()[1]] == ["effusion, mass", "", "mass"]
