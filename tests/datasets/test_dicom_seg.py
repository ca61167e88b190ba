"""Masks come from SEG by geometry."""

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from tests.datasets.dicom_files import (
    SAGITTAL,
    Series,
    enhanced,
    mr_slice,
    pixels,
    read_masks,
    write_labels,
    write_seg,
    write_series,
)
from xaibench.datasets.dicom.folder import DicomFolder

STORED = pixels(5)


def masks(*slices, start=3):
    """One rectangle a slice, each of another size."""
    made = np.zeros(STORED.shape, bool)
    for index in slices:
        made[index, start : start + 4 + index, 5:11] = True
    return made


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL"])
def test_mask_lies_on_its_slices_although_frames_are_fewer_and_in_another_order(root, kind):
    sources = write_series(root / "mr", STORED)
    drawn = masks(1, 3)
    values = drawn if kind == "BINARY" else drawn.astype(float)
    write_seg(root / "seg.dcm", sources[::-1], values[::-1], kind=kind)
    np.testing.assert_array_equal(read_masks(root)[0], drawn)


def test_fraction_marks_from_one_half_on(root):
    sources = write_series(root / "mr", STORED)
    values = np.zeros(STORED.shape)
    values[2, 4, 4:8] = 0.2, 0.49, 0.51, 1.0
    write_seg(root / "seg.dcm", sources, values, kind="FRACTIONAL")
    found, _ = read_masks(root)
    assert np.argwhere(found).tolist() == [[2, 4, 6], [2, 4, 7]]


def test_frames_are_placed_by_position_not_by_reference_order(root):
    sources = write_series(root / "mr", STORED)
    made = write_seg(root / "seg.dcm", sources, masks(0, 1, 2, 3, 4))
    frames = made.PerFrameFunctionalGroupsSequence
    stored = made.pixel_array[[3, 1, 4, 0, 2]]
    made.PerFrameFunctionalGroupsSequence = pydicom.Sequence([frames[index] for index in (3, 1, 4, 0, 2)])
    made.PixelData = np.packbits(stored.ravel(), bitorder="little").tobytes()
    made.save_as(root / "seg.dcm")
    np.testing.assert_array_equal(read_masks(root)[0], masks(0, 1, 2, 3, 4))


@pytest.mark.parametrize("change", ["no positions", "other space"])
def test_frames_without_comparable_position_are_placed_by_their_source_image(root, change):
    sources = write_series(root / "mr", STORED)
    made = write_seg(root / "seg.dcm", sources, masks(1, 2))
    if change == "other space":
        made.FrameOfReferenceUID = "1.2.3"
        for frame in made.PerFrameFunctionalGroupsSequence:
            frame.PlanePositionSequence[0].ImagePositionPatient = [0, 0, 0]
    else:
        for frame in made.PerFrameFunctionalGroupsSequence:
            del frame.PlanePositionSequence
    made.save_as(root / "seg.dcm")
    np.testing.assert_array_equal(read_masks(root)[0], masks(1, 2))


@pytest.mark.parametrize(
    "labels", [("Tumor", "Confounder (planted)"), ("Bladder", "GTV primary"), ("mass", "uterus")]
)
def test_only_segments_called_tumour_count(root, labels):
    sources = write_series(root / "mr", STORED)
    both = np.stack([masks(1, 2), masks(2, 3, start=20)], axis=-1)
    write_seg(root / "seg.dcm", sources, both, labels)
    np.testing.assert_array_equal(read_masks(root)[0], both[..., 1 if labels[0] == "Bladder" else 0])


def test_only_segment_is_taken_and_said(root):
    sources = write_series(root / "mr", STORED)
    write_seg(root / "seg.dcm", sources, masks(2), ("Finding",))
    found, notes = read_masks(root)
    np.testing.assert_array_equal(found, masks(2))
    assert "P001: the only segment of its SEG, 'Finding', is taken for the tumour." in notes


def test_several_segments_without_tumour_are_left_out_with_their_names(root):
    sources = write_series(root / "mr", STORED)
    write_seg(
        root / "seg.dcm", sources, np.stack([masks(1), masks(2, start=20)], axis=-1), ("Bladder", "Uterus")
    )
    found, notes = read_masks(root)
    assert found is None
    assert any("has the segments 'Bladder', 'Uterus', and none is called tumour" in note for note in notes)


def test_mask_of_another_size_is_named_by_case_and_the_patient_read_without(root):
    large = pixels(5, 80, 72)
    write_series(root / "mr", large)
    small = [mr_slice(Series(), values, index) for index, values in enumerate(STORED)]
    write_seg(root / "seg.dcm", small, masks(3))
    found, notes = read_masks(root)
    assert found is None
    advice = "resample the SEG to the series, or drop the mask."
    expected = f"Case P001/slice 3: mask is 40x36 but the image is 80x72; {advice}"
    assert any(note.startswith(expected) for note in notes)
    (finding,) = DicomFolder(root).check().findings
    assert "mask is 40x36" in finding.problem
    assert not finding.mask


def test_seg_of_another_series_in_the_same_space_is_used_by_position(root):
    write_series(root / "mr", STORED)
    other = [mr_slice(Series(description="T1"), values, index) for index, values in enumerate(STORED)]
    write_seg(root / "seg.dcm", other, masks(1, 4))
    np.testing.assert_array_equal(read_masks(root)[0], masks(1, 4))


def test_seg_of_another_space_and_series_is_left_out(root):
    write_series(root / "mr", STORED)
    other = [
        mr_slice(Series(description="T1", space="1.9"), values, index) for index, values in enumerate(STORED)
    ]
    write_seg(root / "seg.dcm", other, masks(1))
    found, notes = read_masks(root)
    assert found is None
    assert "P001: 1 SEG belong to other series and are left out." in notes


def test_several_seg_of_the_series_are_united(root):
    sources = write_series(root / "mr", STORED)
    write_seg(root / "a.dcm", sources, masks(1))
    write_seg(root / "b.dcm", sources, masks(1, 2, start=20))
    found, notes = read_masks(root)
    np.testing.assert_array_equal(found, masks(1) | masks(1, 2, start=20))
    assert "P001: the mask is the union of 2 SEG." in notes


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({"orientation": SAGITTAL}, "is not drawn along the rows and columns"),
        ({"step": 5.5}, "frames of its SEG that lie on no slice of the series: 1"),
    ],
)
def test_seg_that_does_not_fit_the_slices_is_said(root, tags, said):
    write_series(root / "mr", STORED)
    other = [mr_slice(Series(description="T1", **tags), values, index) for index, values in enumerate(STORED)]
    write_seg(root / "seg.dcm", other, masks(1))
    found, notes = read_masks(root)
    assert found is None
    assert any(said in note for note in notes)


def test_damaged_seg_costs_the_mask_only(root):
    sources = write_series(root / "mr", STORED)
    made = write_seg(root / "seg.dcm", sources, masks(1))
    made.PixelData = made.PixelData[:50]
    made.save_as(root / "seg.dcm")
    found, notes = read_masks(root)
    assert found is None
    assert any("a SEG has pixels that cannot be decoded" in note for note in notes)


def test_empty_seg_counts_as_not_annotated(root):
    sources = write_series(root / "mr", STORED)
    made = write_seg(root / "seg.dcm", sources, masks(1))
    made.PixelData = bytes(len(made.PixelData))
    made.save_as(root / "seg.dcm")
    found, notes = read_masks(root)
    assert found is None
    assert "P001: its SEG marks no pixel of the series, so it counts as not annotated." in notes


def test_seg_of_a_multi_frame_series_is_placed_frame_by_frame(root):
    heights = [18.0, 16, 14, 12, 10, 8, 6, 4, 2, 0]
    source = pydicom.dcmread(get_testdata_file("emri_small.dcm", download=False))
    made = enhanced(source, heights)
    made.PatientSex, made.StudyTime = "F", ""
    made.save_as(root / "multi.dcm")
    drawn = np.zeros((10, 64, 64), bool)
    drawn[2, 10:20, 5:9], drawn[7, 30:33, 40:50] = True, True
    write_seg(root / "seg.dcm", [made], drawn)
    np.testing.assert_array_equal(read_masks(root)[0], drawn[::-1])


def test_real_seg_is_laid_on_slices_at_its_positions(root):
    seg = pydicom.dcmread(get_testdata_file("liver.dcm", download=False))
    frames = np.unpackbits(np.frombuffer(seg.PixelData, np.uint8), bitorder="little").reshape(-1, 512, 512)[
        :3
    ]
    series = Series(patient="99000", space=str(seg.FrameOfReferenceUID))
    heights = [
        float(f.PlanePositionSequence[0].ImagePositionPatient[2])
        for f in seg.PerFrameFunctionalGroupsSequence
    ]
    for index, height in enumerate(sorted(heights)):
        series.tags = {"ImagePositionPatient": [-235.2, -226.8, height], "PixelSpacing": [0.810547, 0.810547]}
        mr_slice(series, pixels(1, 512, 512, seed=index)[0], index).save_as(root / f"{index}.dcm")
    seg.save_as(root / "seg.dcm")
    write_labels(root, "patient,label\n99000,0\n")
    found, _ = read_masks(root)
    np.testing.assert_array_equal(found, frames[np.argsort(heights)].astype(bool))
