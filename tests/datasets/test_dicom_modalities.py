"""Not MR only: CT, PT and NM slices, and pictures of CR, DX, MG, US and captures."""

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from tests.datasets.dicom_files import (
    SAGITTAL,
    Series,
    mr_slice,
    pixels,
    read_masks,
    save,
    write_labels,
    write_seg,
    write_series,
)
from xaibench.api import XaibenchError
from xaibench.datasets.dicom.folder import DicomFolder

HU = {"Modality": "CT", "RescaleSlope": "2", "RescaleIntercept": "-1024"}


def only(root, **options):
    (volume,) = DicomFolder(root, **options).volumes()
    return volume


def problem(root, **options):
    return DicomFolder(root, **options).check().findings[0].problem


def real(root, *names, patient="REAL"):
    """Copy files that pydicom ships, as those of one patient."""
    for name in names:
        made = pydicom.dcmread(get_testdata_file(name, download=False))
        made.PatientID = patient
        made.save_as(root / name)
    write_labels(root, f"patient,label\n{patient},0\n")


def picture(root, modality, name, tags=None, values=None):
    """Write a picture: no place, no pixel size but what `tags` say."""
    gone = dict.fromkeys(
        ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness")
    )
    series = Series(description="", tags={"Modality": modality} | gone | (tags or {}))
    stored = pixels(1, seed=len(list(root.glob("*.dcm"))))[0] if values is None else values
    save(mr_slice(series, stored, 0), root / f"{name}.dcm")
    return stored


# ---------------------------------------------------------------- CT, PT, NM


def test_ct_is_read_in_hounsfield_units(root):
    stored = pixels(4)
    write_series(root, stored, Series(description="thorax", tags=HU))
    volume = only(root)
    np.testing.assert_array_equal(volume.images[..., 0], stored * np.float32(2) - 1024)
    assert volume.affine is not None


def test_real_ct_is_read_in_hounsfield_units(root):
    real(root, "CT_small.dcm")
    plain = pydicom.dcmread(root / "CT_small.dcm")
    stored = np.frombuffer(plain.PixelData, "<i2").reshape(128, 128)
    slope, intercept = float(plain.RescaleSlope), float(plain.RescaleIntercept)
    np.testing.assert_allclose(only(root).images[0, ..., 0], stored * slope + intercept)


def test_padding_outside_the_circle_counts_as_air_and_tissue_of_that_value_does_not(root):
    stored = pixels(2).astype(np.int16)
    stored[:, :5] = -2000
    tags = HU | {"RescaleSlope": "1", "RescaleIntercept": "0", "PixelPaddingValue": -2000}
    write_series(root, stored, Series(tags=tags))
    found = only(root).images[..., 0]
    assert (found[:, :5] == -1000).all()
    np.testing.assert_array_equal(found[:, 5:], stored[:, 5:].astype(np.float32))
    for path in root.glob("*.dcm"):
        made = pydicom.dcmread(path)
        made.PixelPaddingValue = int(stored[0, 20, 20])
        made.save_as(path)
    np.testing.assert_array_equal(only(root).images[..., 0], stored.astype(np.float32))


def test_ct_without_rescale_is_left_out(root):
    write_series(root, pixels(2), Series(tags={"Modality": "CT"}))
    assert "does not say how its values become Hounsfield units" in problem(root)


def test_window_shows_intensities_between_0_and_1(root):
    stored = np.arange(40 * 36, dtype=np.uint16).reshape(1, 40, 36)
    write_series(root, stored, Series(tags=HU | {"RescaleSlope": "1"}))
    found = only(root, window="-200,400").images[0, ..., 0]
    hounsfield = stored[0] - 1024.0
    assert (found[hounsfield <= -400] == 0).all()
    assert (found[hounsfield >= 0] == 1).all()
    np.testing.assert_allclose(found[hounsfield == -200], 0.5)
    np.testing.assert_allclose(found[hounsfield == -300], 0.25)


@pytest.mark.parametrize("window", ["40", "40,0", "40,-5", "a,b", "1,2,3", "nan,1"])
def test_window_that_is_none_is_refused(root, window):
    write_series(root, pixels(1), Series(tags=HU))
    with pytest.raises(XaibenchError, match="is not centre,width"):
        DicomFolder(root, window=window).check()


def test_scout_and_other_planes_of_ct_are_left_out(root):
    write_series(root / "a", pixels(3), Series(description="lung", tags=HU))
    write_series(
        root / "b", pixels(9), Series(description="scout", tags=HU | {"ImageType": ["ORIGINAL", "LOCALIZER"]})
    )
    write_series(root / "c", pixels(9), Series(description="sag", orientation=SAGITTAL, tags=HU))
    assert len(only(root).images) == 3
    assert len(only(root, series="sag").images) == 9


def test_slices_of_pet_are_rescaled_one_by_one(root):
    stored = pixels(3)
    for index, values in enumerate(stored):
        tags = {"Modality": "PT", "RescaleSlope": str(index + 1), "RescaleIntercept": "0"}
        save(mr_slice(Series(tags=tags), values, index), root / f"{index}.dcm")
    factors = np.array([1, 2, 3], np.float32)[:, None, None]
    np.testing.assert_array_equal(only(root).images[..., 0], stored * factors)


def test_frames_of_nuclear_medicine_without_places_are_refused(root):
    real(root, "JPEG2000_UNC.dcm")
    assert "position, orientation and pixel spacing" in problem(root)


def test_of_several_modalities_mr_is_read_else_the_user_is_asked(root):
    write_series(root / "ct", pixels(3), Series(description="CT", tags=HU))
    write_series(root / "pt", pixels(4), Series(description="PT", tags={"Modality": "PT"}))
    with pytest.raises(XaibenchError, match="holds images of CT, PT; choose one with --modality"):
        list(DicomFolder(root).volumes())
    assert len(only(root, modality="pt").images) == 4
    write_series(root / "mr", pixels(5))
    assert len(only(root).images) == 5
    assert len(only(root, modality="CT").images) == 3
    with pytest.raises(XaibenchError, match="There is no modality 'CTA'; did you mean 'CT'"):
        list(DicomFolder(root, modality="CTA").volumes())


def test_modality_that_a_patient_lacks_is_said(root):
    write_series(root, pixels(3))
    assert "no CT series is there. The patient is skipped." in problem(root, modality="CT")


# ---------------------------------------------------------------- pictures


@pytest.mark.parametrize("modality", ["CR", "DX", "MG", "US", "XC", "OT"])
def test_picture_is_read_without_a_place(root, modality):
    stored = picture(root, modality, "a", {"ImagerPixelSpacing": [0.2, 0.1]})
    volume = only(root)
    np.testing.assert_array_equal(volume.images[0, ..., 0], stored.astype(np.float32))
    assert volume.spacing_mm == (0.2, 0.1)
    assert volume.affine is None


@pytest.mark.parametrize("tags", [{}, {"PixelSpacing": [0, 0]}])
def test_picture_without_a_pixel_size_has_none_and_it_is_said(root, tags):
    picture(root, "DX", "a", tags)
    assert only(root).spacing_mm is None
    assert any("does not say how large a pixel is" in note for note in DicomFolder(root).notes())


def test_size_in_the_patient_goes_before_that_on_the_detector(root):
    picture(root, "DX", "a", {"PixelSpacing": [0.1, 0.1], "ImagerPixelSpacing": [0.2, 0.2]})
    assert only(root).spacing_mm == (0.1, 0.1)


def test_ultrasound_region_tells_the_size_of_a_pixel(root):
    region = pydicom.Dataset()
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX, region.PhysicalDeltaY = 0.02, 0.03
    picture(root, "US", "a", {"SequenceOfUltrasoundRegions": [region]})
    assert only(root).spacing_mm == pytest.approx((0.3, 0.2))


def test_of_radiographs_one_for_presentation_and_then_a_frontal_view_is_read(root):
    for name, view, intent in (
        ("a", "PA", "PROCESSING"),
        ("b", "LL", "PRESENTATION"),
        ("c", "PA", "PRESENTATION"),
    ):
        stored = picture(root, "DX", name, {"ViewPosition": view, "PresentationIntentType": f"FOR {intent}"})
    np.testing.assert_array_equal(only(root).images[0, ..., 0], stored.astype(np.float32))


def test_views_of_the_breast_are_not_guessed_at(root):
    shown = {}
    for side in "LR":
        for view in ("CC", "MLO"):
            tags = {"ImageLaterality": side, "ViewPosition": view, "SeriesDescription": "MG SCREEN"}
            shown[side + view] = picture(root, "MG", side + view, tags)
    said = problem(root)
    assert "4 MG images fit ('MG ... left CC', 'MG ... left MLO', 'MG ... right CC'" in said
    assert "choose one with --series" in said
    found = only(root, series="left mlo").images[0, ..., 0]
    np.testing.assert_array_equal(found, shown["LMLO"].astype(np.float32))


def test_of_equal_pictures_the_earlier_is_read(root):
    first = picture(root, "DX", "b", {"StudyDate": "20000101"})
    picture(root, "DX", "a", {"StudyDate": "20010101"})
    np.testing.assert_array_equal(only(root).images[0, ..., 0], first.astype(np.float32))


def test_text_that_is_burned_in_is_a_problem_to_look_at(root):
    picture(root, "US", "a", {"BurnedInAnnotation": "YES"})
    assert "text is burned into the image" in problem(root)
    assert len(list(DicomFolder(root).volumes())) == 1


COLOUR = ["rgb", "rgb_16bit", "rgb_expb", "rgb_rle", "rgb_gdcm_KY", "ybr_full_uncompressed"]


@pytest.mark.parametrize("name", COLOUR)
def test_captures_in_colour_read_alike_in_every_encoding(root, name):
    """The picture of these files has bars of 10 rows in known colours."""
    real(root, f"SC_{name}.dcm")
    found = only(root).images
    assert found.shape == (1, 100, 100, 3)
    bars = found[0, 5::10, 50] / (257 if "16bit" in name else 1)
    expected = [
        (255, 0, 0), (255, 128, 128), (0, 255, 0), (128, 255, 128), (0, 0, 255),
        (128, 128, 255), (0, 0, 0), (64, 64, 64), (192, 192, 192), (255, 255, 255),
    ]  # fmt: skip
    np.testing.assert_allclose(bars, expected, atol=5)  # of YBR, as its eight bits are rounded


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("US1_UNCR.dcm", (480, 640)),
        ("US1_J2KR.dcm", (480, 640)),
        ("examples_rgb_color.dcm", (240, 320)),
        ("color-pl.dcm", (120, 256)),
        ("ExplVR_BigEnd.dcm", (60, 80)),
    ],
)
def test_real_ultrasound_in_colour_is_read(root, name, shape):
    real(root, name)
    plain = pydicom.dcmread(get_testdata_file(name, download=False))
    found = only(root).images
    assert found.shape == (1, *shape, 3)
    np.testing.assert_array_equal(found[0], plain.pixel_array.astype(np.float32))


def test_palette_becomes_colours(root):
    real(root, "OBXXXX1A.dcm")
    plain = pydicom.dcmread(root / "OBXXXX1A.dcm")
    tables = [
        np.frombuffer(plain[f"{name}PaletteColorLookupTableData"].value, "<u2")
        for name in ("Red", "Green", "Blue")
    ]
    stored = np.frombuffer(plain.PixelData, np.uint8).reshape(600, 800)
    expected = np.stack([table[stored] for table in tables], axis=-1).astype(np.float32)
    np.testing.assert_array_equal(only(root).images[0], expected)


@pytest.mark.parametrize("name", ["OBXXXX1A_2frame.dcm", "SC_rgb_2frame.dcm", "examples_ybr_color.dcm"])
def test_film_is_refused(root, name):
    real(root, name)
    assert "frames, and single pictures are read" in problem(root)


def test_real_look_up_table_makes_the_intensities(root):
    real(root, "mlut_18.dcm")
    plain = pydicom.dcmread(root / "mlut_18.dcm")
    item = plain.ModalityLUTSequence[0]
    count, first, bits = item.LUTDescriptor
    table = np.array(item.LUTData if isinstance(item.LUTData, list) else np.frombuffer(item.LUTData, "<u2"))
    places = np.clip(plain.pixel_array.astype(int) - first, 0, (count or 65536) - 1)
    np.testing.assert_array_equal(only(root).images[0, ..., 0], table[places].astype(np.float32))
    assert bits == 16


def test_radiograph_in_negative_is_turned_over(root):
    stored = pixels(1)[0]
    tags = {"PhotometricInterpretation": "MONOCHROME1", "BitsStored": 12, "HighBit": 11}
    picture(root, "CR", "a", tags, stored)
    np.testing.assert_array_equal(only(root).images[0, ..., 0], 4095 - stored.astype(np.float32))


def test_seg_lies_on_the_slices_of_ct(root):
    stored = pixels(5)
    sources = write_series(root / "ct", stored, Series(tags=HU))
    marked = np.zeros(stored.shape, bool)
    marked[3, 4:9, 10:20] = True
    write_seg(root / "seg.dcm", sources, marked)
    np.testing.assert_array_equal(read_masks(root)[0], marked)


def test_mr_in_colour_is_still_refused(root):
    write_series(root, pixels(1), Series(tags={"SamplesPerPixel": 3}))
    assert "is in colour, and only greyscale is read of slices" in problem(root)
