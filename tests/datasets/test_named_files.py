"""Names tell which files are masks, of which image, and whose an image is."""

from pathlib import Path

import pytest

from xaibench.datasets.named_files import image_name, key_of, masked_name, masks_by_image, patient_of


@pytest.mark.parametrize(
    ("name", "key"),
    [("a/b.png", "a/b"), ("b.nii.gz", "b"), ("b.nii", "b"), ("b.v2.PNG", "b.v2"), ("b.txt", "b.txt")],
)
def test_key_is_the_path_without_its_ending(name, key):
    assert key_of(Path("/r"), Path("/r") / name, (".png", ".nii", ".nii.gz")) == key


@pytest.mark.parametrize(
    ("key", "masks", "image"),
    [
        ("benign (1)_mask", None, "benign (1)"),
        ("benign (1)_mask_1", None, "benign (1)"),
        ("x-seg", None, "x"),
        ("x_SEGMENTATION", None, "x"),
        ("masks/x", None, "x"),
        ("train/masks/x_mask", None, "train/x"),
        ("labelsTr/prostate_00", None, "prostate_00"),
        ("derivatives/sub-01/anat/sub-01_label-lesion_dseg", None, "sub-01/anat/sub-01_label-lesion"),
        ("x", None, None),
        ("unmasked/x", None, None),
        ("x_masked", None, None),
        ("mask", None, None),
        ("SegmentationClass/x", "SegmentationClass", "x"),
        ("x_gt", "_gt", "x"),
        ("x_gt2", "_gt", "x"),
        ("x_mask", "_gt", None),
    ],
)
def test_masks_are_told_by_folder_or_ending(key, masks, image):
    assert masked_name(key, masks) == image


def test_what_only_says_image_is_no_part_of_the_name():
    assert image_name("imagesTr/prostate_00_0000") == "prostate_00"
    assert image_name("a/images/b") == "a/b"


@pytest.mark.parametrize(
    ("key", "rule", "patient"),
    [
        ("sub-07/anat/sub-07_T2w", None, "sub-07"),
        ("x/img_3", None, "x/img_3"),
        ("p12_s3", r"^(p\d+)_", "p12"),
        ("p12_s3", r"p\d+", "p12"),
        ("q12_s3", r"^(p\d+)_", "q12_s3"),
    ],
)
def test_patient_is_what_the_rule_finds_or_a_bids_subject_or_the_file(key, rule, patient):
    assert patient_of(key, rule) == patient


def test_masks_go_to_the_image_of_their_name_wherever_it_lies():
    images = ["images/a", "images/b", "x/c", "y/c", "sub-01/anat/sub-01_T2w"]
    keys = [
        "masks/a",
        "masks/b_mask",
        "masks/b_mask_2",
        "masks/c",
        "derivatives/sub-01/sub-01_roi_dseg",
        "masks/z",
    ]
    found = masks_by_image(images, [(key, masked_name(key, None)) for key in keys])
    assert found == {
        "images/a": ["masks/a"],
        "images/b": ["masks/b_mask", "masks/b_mask_2"],
        "sub-01/anat/sub-01_T2w": ["derivatives/sub-01/sub-01_roi_dseg"],
    }
