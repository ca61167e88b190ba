"""Slices, intensities and encodings."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from tests.datasets.dicom_files import (
    OBLIQUE,
    Series,
    enhanced,
    mr_slice,
    pixels,
    save,
    write_labels,
    write_series,
)
from xaibench.datasets.dicom.folder import DicomFolder

SYNTAXES = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
    JPEGLSLossless,
    JPEG2000Lossless,
)
SMALL = ("", "_RLE", "_bigendian", "_expb", "_implicit", "_jp2klossless", "_jpeg_ls_lossless", "_padded")


def only(root, **options):
    (volume,) = DicomFolder(root, **options).volumes()
    return volume


def copy_of(name, folder):
    source = get_testdata_file(name, download=False)
    assert source is not None, f"{name} is no longer shipped"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / name
    target.write_bytes(Path(source).read_bytes())
    return target


@pytest.mark.parametrize("orientation", [(1.0, 0, 0, 0, 1.0, 0), OBLIQUE, (-1.0, 0, 0, 0, -1.0, 0)])
def test_slices_lie_in_order_of_position_whatever_file_name_or_instance_number_say(tmp_path, orientation):
    stored = pixels(6)
    series = Series(orientation=orientation)
    made = [mr_slice(series, values, index) for index, values in enumerate(stored)]
    for name, instance, index in zip("abcdef", (6, 5, 1, 2, 4, 3), (4, 2, 0, 5, 1, 3), strict=True):
        made[index].InstanceNumber = instance
        save(made[index], tmp_path / "deep" / f"{name}.dcm")
    write_labels(tmp_path)
    np.testing.assert_array_equal(only(tmp_path).images[..., 0], stored.astype(np.float32))


@settings(max_examples=15, deadline=None)
@given(names=st.permutations(range(5)), instances=st.permutations(range(5)))
def test_any_shuffle_of_files_and_instance_numbers_gives_the_same_volume(tmp_path_factory, names, instances):
    root = tmp_path_factory.mktemp("shuffled")
    stored = pixels(5)
    for index, values in enumerate(stored):
        made = mr_slice(Series(), values, index)
        made.InstanceNumber = instances[index]
        save(made, root / f"{names[index]}.dcm")
    write_labels(root)
    np.testing.assert_array_equal(only(root).images[..., 0], stored.astype(np.float32))


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.name)
def test_every_transfer_syntax_gives_the_same_pixels(tmp_path, syntax):
    stored = pixels(3)
    write_series(tmp_path, stored, Series(syntax=syntax))
    write_labels(tmp_path)
    volume = only(tmp_path)
    np.testing.assert_array_equal(volume.images[..., 0], stored.astype(np.float32))
    assert volume.images.dtype == np.float32
    assert volume.spacing_mm == (0.75, 0.5)


@pytest.mark.parametrize("variant", SMALL)
def test_real_mr_file_reads_alike_in_every_encoding(tmp_path, variant):
    copy_of(f"MR_small{variant}.dcm", tmp_path)
    write_labels(tmp_path, "patient,label\n4MR1,0\n")
    image = only(tmp_path).images[0, :, :, 0]
    plain = pydicom.dcmread(get_testdata_file("MR_small.dcm", download=False))
    stored = np.frombuffer(plain.PixelData, "<i2").reshape(64, 64)
    np.testing.assert_array_equal(image, stored.astype(np.float32))


def test_padded_pixel_data_is_read_and_said(tmp_path):
    copy_of("MR_small_padded.dcm", tmp_path)
    write_labels(tmp_path, "patient,label\n4MR1,0\n")
    assert any("not quite regular" in note for note in DicomFolder(tmp_path).notes())


@pytest.mark.parametrize("variant", ["", "_RLE", "_big_endian", "_jpeg_2k_lossless", "_jpeg_ls_lossless"])
def test_real_multi_frame_file_is_ordered_and_rescaled_frame_by_frame(tmp_path, variant):
    heights = [0.0, 6, 2, 4, 8, 18, 16, 14, 12, 10]
    source = pydicom.dcmread(get_testdata_file(f"emri_small{variant}.dcm", download=False))
    enhanced(source, heights).save_as(tmp_path / "multi.dcm")
    write_labels(tmp_path)
    plain = pydicom.dcmread(get_testdata_file("emri_small.dcm", download=False))
    frames = np.frombuffer(plain.PixelData, "<u2").reshape(10, 64, 64)
    volume = only(tmp_path)
    for index, frame in enumerate(sorted(range(10), key=heights.__getitem__)):
        np.testing.assert_array_equal(volume.images[index, ..., 0], frames[frame] * np.float32(frame + 1) - 1)
    assert volume.spacing_mm == (0.9, 0.8)


def test_multi_frame_file_without_positions_is_refused_in_a_sentence(tmp_path):
    source = pydicom.dcmread(get_testdata_file("emri_small.dcm", download=False))
    source.PatientID, source.SeriesDescription = "SECRET-42", "T2 AX"
    source.save_as(tmp_path / "multi.dcm")
    (finding,) = DicomFolder(tmp_path).check().findings
    assert "several frames and does not say the position of each" in finding.problem


def test_real_series_with_slope_is_rescaled(tmp_path):
    path = copy_of("MR2_UNCR.dcm", tmp_path)
    write_labels(tmp_path, "patient,label\n5MR2,0\n")
    plain = pydicom.dcmread(path)
    stored = np.frombuffer(plain.PixelData, "<u2").reshape(1024, 1024)
    image = only(tmp_path, series="^T1W").images[0, ..., 0]
    np.testing.assert_allclose(image, stored * 3.774114 + 0.000061, rtol=1e-6)


def test_slope_and_intercept_of_each_slice_count(tmp_path):
    stored = pixels(2)
    for index, (slope, intercept) in enumerate([("2", "-7"), ("0.5", None)]):
        tags = {"RescaleSlope": slope, "RescaleIntercept": intercept}
        save(mr_slice(Series(tags=tags), stored[index], index), tmp_path / f"{index}.dcm")
    write_labels(tmp_path)
    expected = np.stack([stored[0] * 2.0 - 7, stored[1] * 0.5])
    np.testing.assert_array_equal(only(tmp_path).images[..., 0], expected)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(
    ("allocated", "stored_bits"), [(8, 8), (8, 7), (16, 9), (16, 12), (16, 15), (16, 16)]
)
def test_any_number_of_bits_signed_or_not(tmp_path, signed, allocated, stored_bits):
    low = -(2 ** (stored_bits - 1)) if signed else 0
    values = np.random.default_rng(1).integers(low, low + 2**stored_bits, (2, 40, 36))
    kept = values.astype(f"{'i' if signed else 'u'}{allocated // 8}")
    tags = {"BitsStored": stored_bits, "HighBit": stored_bits - 1}
    write_series(tmp_path, kept, Series(tags=tags))
    write_labels(tmp_path)
    np.testing.assert_array_equal(only(tmp_path).images[..., 0], values.astype(np.float32))


def test_unused_high_bits_do_not_count(tmp_path):
    stored = pixels(2, bits=12)
    tags = {"BitsStored": 12, "HighBit": 11}
    write_series(tmp_path, stored | np.uint16(0xA000), Series(tags=tags))
    write_labels(tmp_path)
    np.testing.assert_array_equal(only(tmp_path).images[..., 0], stored.astype(np.float32))


@pytest.mark.parametrize("signed", [False, True])
def test_monochrome1_is_the_negative_within_the_same_range(tmp_path, signed):
    values = pixels(2, bits=12).astype(np.int16) - (2048 if signed else 0)
    low, high = (-2048, 2047) if signed else (0, 4095)
    negative = (low + high - values).astype(np.int16 if signed else np.uint16)
    tags = {"PhotometricInterpretation": "MONOCHROME1", "BitsStored": 12, "HighBit": 11, "RescaleSlope": "3"}
    write_series(tmp_path, negative, Series(tags=tags))
    write_labels(tmp_path)
    np.testing.assert_array_equal(only(tmp_path).images[..., 0], values * np.float32(3))


@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("first", [0, 100, -50])
def test_look_up_table_makes_the_intensities(tmp_path, kind, first):
    """Values below the first entry take it, values beyond the last that (PS3.3 C.11.1.1.1)."""
    stored = pixels(2, bits=9).astype(np.int16)
    table = np.random.default_rng(1).permutation(300).astype(np.uint16)
    item = pydicom.Dataset()
    item.add_new("LUTDescriptor", "SS", [300, first, 16])
    item.ModalityLUTType = "US"
    item.add_new("LUTData", "US", table.tolist())
    tags = {"ModalityLUTSequence": [item], "PhotometricInterpretation": kind, "RescaleSlope": None}
    write_series(tmp_path, stored, Series(tags=tags))
    write_labels(tmp_path)
    entries = np.array([[min(max(int(v) - first, 0), 299) for v in image.ravel()] for image in stored])
    expected = table[entries].reshape(stored.shape).astype(np.float32)
    expected = 65535 - expected if kind == "MONOCHROME1" else expected
    np.testing.assert_array_equal(only(tmp_path).images[..., 0], expected)
