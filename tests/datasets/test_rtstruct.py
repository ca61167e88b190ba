"""Masks come from the contours of an RTSTRUCT by geometry."""

import math

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, RTStructureSetStorage

from tests.datasets.dicom_files import (
    OBLIQUE,
    SAGITTAL,
    Series,
    mr_slice,
    pixels,
    read_masks,
    uid,
    write_labels,
    write_seg,
    write_series,
)
from xaibench.datasets.dicom.folder import DicomFolder

STORED = pixels(5)
SIZE = STORED.shape[1:]
STAR = [
    (4.3, 3.2),
    (9.1, 14.7),
    (4.6, 25.4),
    (17.8, 20.3),
    (31.2, 30.6),
    (24.9, 16.1),
    (33.4, 5.7),
    (18.2, 9.9),
]


def point_in_polygon(row, column, polygon):
    """Even-odd rule by a ray along the row, one edge after the other (Shimrat 1962)."""
    inside = False
    for (r1, c1), (r2, c2) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        if (r1 > row) != (r2 > row) and column < c1 + (row - r1) / (r2 - r1) * (c2 - c1):
            inside = not inside
    return inside


def drawn(*polygons, size=SIZE):
    """Pixels whose centre lies in an odd number of polygons given as (row, column)."""
    return np.array(
        [
            [sum(point_in_polygon(r, c, polygon) for polygon in polygons) % 2 == 1 for c in range(size[1])]
            for r in range(size[0])
        ]
    )


def circle(row, column, radius, corners=90):
    angles = [2 * math.pi * (k + 0.37) / corners for k in range(corners)]
    return [(row + radius * math.sin(a), column + radius * math.cos(a)) for a in angles]


def in_mm(polygon, source, lift=0.0):
    """Patient coordinates of (row, column) points of an image, lifted along its normal by some mm."""
    rows, columns = np.array(source.ImageOrientationPatient, float).reshape(2, 3)
    between_rows, between_columns = source.PixelSpacing
    corner = np.array(source.ImagePositionPatient, float) + lift * np.cross(rows, columns)
    return [corner + c * between_columns * rows + r * between_rows * columns for r, c in polygon]


def contour(points, kind="CLOSED_PLANAR"):
    item = Dataset()
    item.ContourGeometricType = kind
    item.NumberOfContourPoints = len(points)
    item.ContourData = [f"{value:.4f}" for point in points for value in point]
    return item


def write_rtstruct(path, source, regions, kinds=None, space=None):
    """Write regions, name -> contours in mm, drawn on the series of `source`."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = RTStructureSetStorage
    meta.MediaStorageSOPInstanceUID = uid(path)
    made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    made.SOPClassUID, made.SOPInstanceUID = RTStructureSetStorage, uid(path)
    made.Modality, made.PatientID, made.PatientName = "RTSTRUCT", source.PatientID, source.PatientName
    made.SeriesInstanceUID = uid(path, "series")
    series, study, frame = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = source.SeriesInstanceUID
    study.RTReferencedSeriesSequence = Sequence([series])
    frame.FrameOfReferenceUID = space or source.FrameOfReferenceUID
    frame.RTReferencedStudySequence = Sequence([study])
    made.ReferencedFrameOfReferenceSequence = Sequence([frame])
    made.StructureSetROISequence, made.ROIContourSequence = Sequence(), Sequence()
    made.RTROIObservationsSequence = Sequence()
    for number, (name, contours) in enumerate(regions.items(), start=1):
        roi, outline, seen = Dataset(), Dataset(), Dataset()
        roi.ROINumber, roi.ROIName = number, name
        roi.ReferencedFrameOfReferenceUID = frame.FrameOfReferenceUID
        outline.ReferencedROINumber, outline.ContourSequence = number, Sequence(contours)
        seen.ReferencedROINumber, seen.RTROIInterpretedType = number, (kinds or {}).get(name, "")
        made.StructureSetROISequence.append(roi)
        made.ROIContourSequence.append(outline)
        made.RTROIObservationsSequence.append(seen)
    made.save_as(path, enforce_file_format=True)
    return made


def test_circle_has_its_area_on_its_slice_alone(root):
    sources = write_series(root / "mr", STORED)
    outline = circle(19.3, 17.6, 11.4)
    write_rtstruct(root / "rt.dcm", sources[3], {"GTV": [contour(in_mm(outline, sources[3]))]})
    found, _ = read_masks(root)
    assert found.any(axis=(1, 2)).tolist() == [False, False, False, True, False]
    np.testing.assert_array_equal(found[3], drawn(outline))
    assert found.sum() == pytest.approx(math.pi * 11.4**2, rel=0.02)


@pytest.mark.parametrize("orientation", [OBLIQUE, (0.6, 0.8, 0.0, -0.8, 0.6, 0.0), SAGITTAL])
def test_contours_are_mapped_through_any_orientation_and_file_order(root, orientation):
    names = [f"{index}.dcm" for index in (3, 0, 4, 1, 2)]
    sources = write_series(root / "mr", STORED, Series(orientation=orientation), names)
    contours = [contour(in_mm(STAR, sources[1])), contour(in_mm(circle(20.2, 15.1, 6.3), sources[4]))]
    write_rtstruct(root / "rt.dcm", sources[0], {"Tumor": contours})
    found, _ = read_masks(root, series="t2")
    expected = np.zeros(STORED.shape, bool)
    expected[1], expected[4] = drawn(STAR), drawn(circle(20.2, 15.1, 6.3))
    np.testing.assert_array_equal(found, expected)


def test_contour_within_a_contour_is_a_hole_and_one_within_the_hole_is_not(root):
    sources = write_series(root / "mr", STORED)
    rings = [circle(20.1, 18.2, radius) for radius in (13.3, 8.6, 3.7)]
    contours = [contour(in_mm(ring, sources[2])) for ring in rings]
    write_rtstruct(root / "rt.dcm", sources[2], {"GTV": contours})
    found, _ = read_masks(root)
    np.testing.assert_array_equal(found[2], drawn(*rings))
    assert found[2, 20, 18]
    assert not found[2, 20, 24]


def test_hole_cut_through_a_keyhole_stays_a_hole(root):
    sources = write_series(root / "mr", STORED)
    outer, inner = circle(20.1, 18.2, 13.3), circle(20.1, 18.2, 6.6)
    keyhole = [*outer, outer[0], *inner[::-1], inner[-1]]
    write_rtstruct(root / "rt.dcm", sources[2], {"GTV": [contour(in_mm(keyhole, sources[2]))]})
    found, _ = read_masks(root)
    np.testing.assert_array_equal(found[2], drawn(outer, inner))


def test_overlapping_regions_are_united(root):
    sources = write_series(root / "mr", STORED)
    one, other = circle(15.2, 15.3, 7.4), circle(20.1, 18.2, 7.3)
    regions = {"GTV-T": [contour(in_mm(one, sources[2]))], "GTV-N": [contour(in_mm(other, sources[2]))]}
    write_rtstruct(root / "rt.dcm", sources[2], regions)
    np.testing.assert_array_equal(read_masks(root)[0][2], drawn(one) | drawn(other))


def test_contour_through_pixel_centres_marks_them(root):
    sources = write_series(root / "mr", STORED, Series(orientation=OBLIQUE))
    square = [(4, 6), (4, 11), (9, 11), (9, 6)]
    write_rtstruct(root / "rt.dcm", sources[2], {"GTV": [contour(in_mm(square, sources[2]))]})
    expected = np.zeros(STORED.shape, bool)
    expected[2, 4:10, 6:12] = True
    np.testing.assert_array_equal(read_masks(root)[0], expected)


def test_contour_beyond_the_image_is_cut_at_its_border(root):
    sources = write_series(root / "mr", STORED)
    outline = circle(1.2, 34.3, 9.4)
    write_rtstruct(root / "rt.dcm", sources[2], {"GTV": [contour(in_mm(outline, sources[2]))]})
    np.testing.assert_array_equal(read_masks(root)[0][2], drawn(outline))


def test_contours_between_and_beyond_the_slices_are_left_out_and_said(root):
    sources = write_series(root / "mr", STORED)
    lifts = {0.9: sources[1], 2.0: sources[1], 1.1: sources[4]}  # the slices lie 4 mm apart
    contours = [contour(in_mm(STAR, source, lift)) for lift, source in lifts.items()]
    write_rtstruct(root / "rt.dcm", sources[0], {"GTV": contours})
    found, notes = read_masks(root)
    assert found.any(axis=(1, 2)).tolist() == [False, True, False, False, False]
    said = "P001: 2 contours of its RTSTRUCT lie between the slices of the series or beyond them, and are left out."
    assert said in notes


def test_of_two_planes_near_a_slice_the_nearest_counts(root):
    sources = write_series(root / "mr", STORED)
    near, far = circle(20.2, 18.1, 9.3), circle(20.2, 18.1, 7.4)
    contours = [contour(in_mm(far, sources[2], -0.8)), contour(in_mm(near, sources[2], 0.3))]
    write_rtstruct(root / "rt.dcm", sources[2], {"GTV": contours})
    np.testing.assert_array_equal(read_masks(root)[0][2], drawn(near))


def test_contours_in_other_planes_than_the_slices_are_left_out_and_said(root):
    write_series(root / "mr", STORED)
    sagittal = mr_slice(Series(orientation=SAGITTAL), STORED[0], 0)
    write_rtstruct(root / "rt.dcm", sagittal, {"GTV": [contour(in_mm(STAR, sagittal))]})
    found, notes = read_masks(root)
    assert found is None
    assert any(
        "1 contours of its RTSTRUCT do not lie in the planes" in note and "--series" in note for note in notes
    )


@pytest.mark.parametrize(
    ("names", "options", "chosen"),
    [
        (("Bladder", "HR_GTV"), {}, 1),
        (("primary tumour", "Rectum"), {}, 0),
        (("uterus", "target"), {"kinds": {"target": "GTV"}}, 1),
        (("CTV 45", "Bladder"), {"roi": "^ctv"}, 0),
        (("GTV", "Bladder"), {"roi": "bladder"}, 1),
        (("ROI",), {}, 0),
    ],
)
def test_region_is_chosen_by_rule_name_type_or_because_it_is_the_only_one(root, names, options, chosen):
    sources = write_series(root / "mr", STORED)
    outlines = [STAR, circle(20.2, 18.1, 4.3)]
    regions = {
        name: [contour(in_mm(outline, sources[1]))] for name, outline in zip(names, outlines, strict=False)
    }
    write_rtstruct(root / "rt.dcm", sources[1], regions, options.pop("kinds", None))
    np.testing.assert_array_equal(read_masks(root, **options)[0][1], drawn(outlines[chosen]))


@pytest.mark.parametrize(
    ("names", "kinds", "roi", "said"),
    [
        (("Bladder", "CTV"), {}, None, "has the regions 'Bladder', 'CTV', and none is called tumour"),
        (("skin",), {"skin": "EXTERNAL"}, None, "has the regions 'skin', and none is called tumour"),
        (("GTV",), {}, "node", "has the regions 'GTV', and none matches the rule 'node'"),
        (("Doe body", "CTV"), {}, None, "has the regions '... body', 'CTV'"),
    ],
)
def test_structure_set_without_a_fitting_region_is_left_out_with_their_names(root, names, kinds, roi, said):
    sources = write_series(root / "mr", STORED)
    regions = {name: [contour(in_mm(STAR, sources[1]))] for name in names}
    write_rtstruct(root / "rt.dcm", sources[1], regions, kinds)
    found, notes = read_masks(root, roi=roi)
    assert found is None
    assert any(f"P001: an RTSTRUCT {said}" in note for note in notes)


def test_rule_that_is_no_pattern_is_said(root):
    write_series(root / "mr", STORED)
    with pytest.raises(Exception, match=r"The region rule '\(' is no regular expression"):
        DicomFolder(root, roi="(").notes()


def test_points_and_open_lines_have_no_area(root):
    sources = write_series(root / "mr", STORED)
    points = in_mm(STAR, sources[1])
    regions = {
        "GTV": [contour(points, "OPEN_PLANAR"), contour(points[:1], "POINT"), contour(points[:2])],
    }
    write_rtstruct(root / "rt.dcm", sources[1], regions)
    found, notes = read_masks(root)
    assert found is None
    assert any("an RTSTRUCT has no closed contours in the frame of reference" in note for note in notes)


def test_contours_of_another_space_are_never_laid_on_the_series(root):
    sources = write_series(root / "mr", STORED)
    regions = {"GTV": [contour(in_mm(STAR, sources[1]))]}
    write_rtstruct(root / "named.dcm", sources[1], regions, space="1.9")
    sources[1].SeriesInstanceUID = "1.8"
    write_rtstruct(root / "other.dcm", sources[1], regions, space="1.9")
    found, notes = read_masks(root)
    assert found is None
    assert any("no closed contours in the frame of reference of the series" in note for note in notes)
    assert "P001: 1 RTSTRUCT belong to other series and are left out." in notes


def test_structure_set_of_another_series_in_the_same_space_is_used_by_position(root):
    sources = write_series(root / "mr", STORED)
    regions = {"GTV": [contour(in_mm(STAR, sources[1]))]}
    sources[1].SeriesInstanceUID = "1.8"
    write_rtstruct(root / "rt.dcm", sources[1], regions)
    np.testing.assert_array_equal(read_masks(root)[0][1], drawn(STAR))


def test_seg_goes_before_contours(root):
    sources = write_series(root / "mr", STORED)
    marked = np.zeros(STORED.shape, bool)
    marked[2, 3:9, 4:8] = True
    write_seg(root / "seg.dcm", sources, marked)
    write_rtstruct(root / "rt.dcm", sources[1], {"GTV": [contour(in_mm(STAR, sources[1]))]})
    found, notes = read_masks(root)
    np.testing.assert_array_equal(found, marked)
    assert "P001: 1 RTSTRUCT are not needed, since a SEG is there, and are left out." in notes


def test_damaged_structure_set_costs_the_mask_only(root):
    sources = write_series(root / "mr", STORED)
    made = write_rtstruct(root / "rt.dcm", sources[1], {"GTV": [contour(in_mm(STAR, sources[1]))]})
    made.ROIContourSequence[0].ContourSequence[0].ContourData = ["1"] * 10
    made.save_as(root / "rt.dcm")
    found, notes = read_masks(root)
    assert found is None
    assert any("an RTSTRUCT has regions or contours that cannot be understood" in note for note in notes)


def test_check_shows_that_contours_make_a_mask(root):
    sources = write_series(root / "mr", STORED)
    write_rtstruct(root / "rt.dcm", sources[1], {"GTV": [contour(in_mm(STAR, sources[1]))]})
    (finding,) = DicomFolder(root).check().findings
    assert finding.mask
    assert finding.slices == 5


def test_structure_set_that_pydicom_ships_is_laid_on_slices_at_its_heights(root):
    made = pydicom.dcmread(get_testdata_file("rtstruct.dcm", download=False), force=True)
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = RTStructureSetStorage
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.save_as(root / "rt.dcm", enforce_file_format=True, implicit_vr=True)
    space = made.ReferencedFrameOfReferenceSequence[0].FrameOfReferenceUID
    series = Series(patient="tPhantom30sep", space=str(space))
    for index, height in enumerate((-210, -200, -190, -180, -170)):
        series.tags = {"ImagePositionPatient": [-253, -203, height], "PixelSpacing": [8, 11]}
        mr_slice(series, pixels(1, 50, 48, seed=index)[0], index).save_as(root / f"{index}.dcm")
    write_labels(root, "patient,label\ntPhantom30sep,0\n")
    found, notes = read_masks(root, roi="^patient$")
    # A box of 400 by 300 mm about the origin on three of the slices.
    inside = np.zeros((50, 48), bool)
    rows, columns = -203 + 8 * np.arange(50), -253 + 11 * np.arange(48)
    inside[np.ix_(np.abs(rows) <= 150, np.abs(columns) <= 200)] = True
    np.testing.assert_array_equal(found, [inside * k for k in (0, 1, 1, 1, 0)])
    assert not any("left out" in note and "RTSTRUCT" in note for note in notes)
    assert read_masks(root)[0] is None  # its one closed region is the outline of the body
