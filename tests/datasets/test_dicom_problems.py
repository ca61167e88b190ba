"""What is wrong is said in a sentence, and costs no more than it must."""

import re
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file
from pydicom.uid import JPEG2000Lossless, RLELossless

from tests.datasets.dicom_files import SAGITTAL, Series, mr_slice, pixels, save, write_labels, write_series
from xaibench.api import XaibenchError
from xaibench.datasets.dicom.folder import DicomFolder

TWO = "patient,label\nSECRET-42,1\nSECRET-43,0\n"


def problem(root, **options):
    return DicomFolder(root, **options).check().findings[0].problem


@pytest.fixture
def cohort(tmp_path):
    """A sound patient, P002, beside whom a test puts a bad one, P001."""
    write_series(tmp_path / "b", pixels(3), Series(patient="SECRET-43"))
    write_labels(tmp_path, TWO)
    return tmp_path


def test_bad_patient_is_skipped_and_pseudonyms_stay(cohort):
    (cohort / "a").mkdir()
    (cohort / "a" / "x.dcm").write_bytes(
        Path(get_testdata_file("MR_truncated.dcm", download=False)).read_bytes()
    )
    write_labels(cohort, "patient,label\n4MR1,1\nSECRET-43,0\n")
    folder = DicomFolder(cohort)
    assert [volume.patient for volume in folder.volumes()] == ["P002"]
    assert any(note.startswith("P001: no slice of the series") for note in folder.notes())


@pytest.mark.parametrize(
    ("tags", "second", "said"),
    [
        ({}, {"PixelSpacing": [0.5, 0.5]}, "differ in pixel spacing"),
        ({}, {"ImageOrientationPatient": list(SAGITTAL)}, "differ in orientation"),
        ({}, {"ImagePositionPatient": [-5.0, -7.0, -30.0]}, "3 slices at 2 positions"),
        ({"PixelSpacing": None}, {"PixelSpacing": None}, "position, orientation and pixel spacing"),
        ({"PixelSpacing": [0, 0]}, {"PixelSpacing": [0, 0]}, "impossible orientation or pixel spacing"),
        ({"SamplesPerPixel": 3}, {"SamplesPerPixel": 3}, "is in colour"),
    ],
)
def test_series_that_makes_no_volume_is_refused(cohort, tags, second, said):
    for index, values in enumerate(pixels(3)):
        chosen = tags | second if index == 1 else tags
        save(mr_slice(Series(tags=chosen), values, index), cohort / "a" / f"{index}.dcm")
    assert said in problem(cohort)
    assert problem(cohort).endswith(("The patient is skipped.", ".dcm]"))
    assert [volume.patient for volume in DicomFolder(cohort).volumes()] == ["P002"]


def test_slices_of_two_sizes_are_refused_by_size(cohort):
    series = Series()
    save(mr_slice(series, pixels(1)[0], 0), cohort / "a" / "0.dcm")
    save(mr_slice(series, pixels(1, 30, 36)[0], 1), cohort / "a" / "1.dcm")
    assert "differ in size (30x36, 40x36)" in problem(cohort)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda made: made.__delitem__("PixelData"), "holds no pixels"),
        (
            lambda made: setattr(made, "PixelData", made.PixelData[:100]),
            "cut short, damaged or not supported",
        ),
        (lambda made: setattr(made, "PixelData", bytes(len(made.PixelData))), "all its pixels are equal"),
        (lambda made: setattr(made, "RescaleSlope", "1e300"), "not finite"),
        (lambda made: made.__delitem__("Rows"), "holds no image"),
    ],
)
def test_bad_file_is_left_out_and_the_gap_said(tmp_path, damage, said):
    stored = pixels(5)
    for index, values in enumerate(stored):
        made = mr_slice(Series(), values, index)
        if index == 2:
            damage(made)
        save(made, tmp_path / f"{index}.dcm")
    write_labels(tmp_path)
    folder = DicomFolder(tmp_path)
    (volume,) = folder.volumes()
    np.testing.assert_array_equal(volume.images[..., 0], stored[[0, 1, 3, 4]].astype(np.float32))
    problems = folder.check().problems
    assert any(said in problem and "[2.dcm]" in problem for problem in problems)
    gap = "P001: slices are missing after slice 1: the next lies 8.0 mm on, others 4.0 mm; the rest is read."
    assert gap in problems


def test_nan_pixels_are_left_out(tmp_path):
    for index, values in enumerate(pixels(2)):
        made = mr_slice(Series(), values, index)
        if index:
            floats = values.astype(np.float32)
            floats[3, 3] = np.nan
            del made.PixelData
            made.FloatPixelData, made.BitsAllocated = floats.tobytes(), 32
        made.save_as(tmp_path / f"{index}.dcm", enforce_file_format=True)
    write_labels(tmp_path)
    assert "not finite" in problem(tmp_path)


def test_file_cut_within_its_modality_is_told(tmp_path):
    made = [mr_slice(Series(), values, index) for index, values in enumerate(pixels(3))]
    for index in (0, 2):
        save(made[index], tmp_path / f"{index}.dcm")
    whole = save(made[1], tmp_path / "1.dcm").read_bytes()
    (tmp_path / "1.dcm").write_bytes(whole[: whole.index(b"CS\x02\x00MR") + 5])
    write_labels(tmp_path)
    assert "[1.dcm]" in " ".join(DicomFolder(tmp_path).check().problems)


@pytest.mark.parametrize("name", ["plain", "compressed"])
def test_no_cut_of_a_file_breaks_the_reader(tmp_path_factory, name):
    stored = pixels(3)
    made = [mr_slice(Series(), values, index) for index, values in enumerate(stored)]
    source = tmp_path_factory.mktemp("whole")
    syntax = JPEG2000Lossless if name == "compressed" else made[1].file_meta.TransferSyntaxUID
    whole = save(made[1], source / "1.dcm", syntax).read_bytes()
    root = tmp_path_factory.mktemp("cut")
    write_labels(root)
    for index in (0, 2):
        save(made[index], root / f"{index}.dcm")

    @settings(max_examples=60, deadline=None)
    @given(
        st.integers(0, len(whole) - 9)
    )  # the closing mark of compressed pixels takes 8 bytes, and may miss
    def cut(length):
        (root / "1.dcm").write_bytes(whole[:length])
        folder = DicomFolder(root)
        (volume,) = folder.volumes()
        np.testing.assert_array_equal(volume.images[..., 0], stored[[0, 2]].astype(np.float32))
        silent = length < 132  # nothing marks it as DICOM yet
        problems = " ".join(folder.check().problems)
        assert silent or "[1.dcm]" in problems

    cut()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_changed_byte_of_a_header_breaks_the_reader(tmp_path_factory, data):
    root = tmp_path_factory.mktemp("noise")
    path = save(mr_slice(Series(), pixels(1)[0], 0), root / "0.dcm")
    whole = bytearray(path.read_bytes())
    for _ in range(3):
        whole[data.draw(st.integers(132, len(whole) - 3000))] = data.draw(st.integers(0, 255))
    path.write_bytes(whole)
    save(mr_slice(Series(patient="SECRET-43"), pixels(1)[0], 0), root / "1.dcm")
    assert DicomFolder(root).check().findings


def test_identifying_values_appear_nowhere(cohort):
    description = "AX T2 SECRET-42 for Jane DOE 1999-12-31 1.2.840.113619"
    series = Series(description=description)
    write_series(cohort / "DOE_JANE", pixels(2), series)
    series.tags = {"PixelSpacing": None}
    save(mr_slice(series, pixels(1)[0], 0), cohort / "DOE_JANE" / "bad.dcm")
    write_labels(cohort, TWO + "SECRET-44,1\n")
    folder = DicomFolder(cohort)
    assert [volume.patient for volume in folder.volumes()] == ["P001", "P002"]
    shown = " ".join([*folder.notes(), *folder.check().problems, *map(repr, folder.check().findings)])
    assert "[DOE_JANE/bad.dcm]" in shown  # the one path, on the terminal only
    shown = shown.replace("[DOE_JANE/bad.dcm]", "")
    for value in ("SECRET", r"\bdoe\b", "jane", "1999", "113619", re.escape(str(cohort))):
        assert not re.search(value, shown, re.IGNORECASE)


def test_pydicom_folder_of_odd_files_is_survived_without_a_warning(capfd):
    for name in ("MR_small.dcm", "MR2_UNCR.dcm"):
        root = Path(get_testdata_file(name, download=False)).parent
        assert len(DicomFolder(root, series="zzz").check().findings) > 5
    assert capfd.readouterr() == ("", "")


def test_dicomdir_and_other_files_are_counted(cohort):
    for name in ("dicomdirtests/DICOMDIR", "README.txt"):
        source = get_testdata_file(name, download=False)
        (cohort / name.replace("/", "_")).write_bytes(Path(source).read_bytes())
    assert (
        "2 files are neither DICOM images nor tables (CSV, JSON) and are skipped."
        in DicomFolder(cohort).notes()
    )


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_folder_without_dicom_is_refused(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(XaibenchError, match=re.escape(str(tmp_path / name))):
        DicomFolder(tmp_path / name).check()


def test_folder_in_which_nobody_can_be_read_is_refused_with_the_reason(tmp_path):
    write_series(tmp_path, pixels(2), Series(description="T1 AX"))
    write_labels(tmp_path)
    with pytest.raises(
        XaibenchError, match=r"no patient can be read\. P001: no MR series is axial and T2-weighted"
    ):
        list(DicomFolder(tmp_path).volumes())


def test_same_file_twice_is_read_once(tmp_path):
    made = write_series(tmp_path, pixels(3))
    save(made[1], tmp_path / "copy.dcm")
    write_labels(tmp_path)
    (volume,) = DicomFolder(tmp_path).volumes()
    assert len(volume.images) == 3
    assert pydicom.dcmread(tmp_path / "copy.dcm").SOPInstanceUID == made[1].SOPInstanceUID


@pytest.mark.parametrize("instance", [None, "", "1.2.3"])
def test_slices_without_identifiers_of_their_own_are_all_read_and_it_is_said(tmp_path, instance):
    stored = pixels(6)
    write_series(tmp_path, stored, Series(tags={"SOPInstanceUID": instance}))
    write_labels(tmp_path)
    folder = DicomFolder(tmp_path)
    (volume,) = folder.volumes()
    np.testing.assert_array_equal(volume.images[..., 0], stored.astype(np.float32))
    said = (
        f"P001: 6 slices have {1 if instance else 0} SOPInstanceUIDs; they are told apart by their position."
    )
    assert said in folder.check().problems


def test_copy_under_another_identifier_and_in_another_encoding_is_read_once(tmp_path):
    stored = pixels(3)
    write_series(tmp_path, stored)
    copy = mr_slice(Series(tags={"SOPInstanceUID": "1.2.3"}), stored[1], 1)
    save(copy, tmp_path / "copy.dcm", JPEG2000Lossless)
    write_labels(tmp_path)
    folder = DicomFolder(tmp_path)
    (volume,) = folder.volumes()
    np.testing.assert_array_equal(volume.images[..., 0], stored.astype(np.float32))
    assert "P001: 1 slices are there twice; each is read once." in folder.notes()


@pytest.mark.parametrize("damaged", ["0.dcm", "9.dcm"])
def test_damaged_copy_does_not_cost_the_slice(tmp_path, damaged):
    stored = pixels(3)
    for index, name in ((0, "0.dcm"), (1, "1.dcm"), (2, "2.dcm"), (0, "9.dcm")):
        made = mr_slice(Series(), stored[index], index)
        if name == damaged:
            made.PixelData = made.PixelData[:100]
        save(made, tmp_path / name)
    write_labels(tmp_path)
    (volume,) = DicomFolder(tmp_path).volumes()
    np.testing.assert_array_equal(volume.images[..., 0], stored.astype(np.float32))


def test_two_images_at_one_place_are_no_copies_although_they_share_an_identifier(cohort):
    stored = pixels(3)
    for index in range(3):
        tags = {"SOPInstanceUID": "1.2.3", "ImagePositionPatient": [0.0, 0.0, 4.0 * (index // 2)]}
        save(mr_slice(Series(tags=tags), stored[index], index), cohort / "a" / f"{index}.dcm")
    assert "3 slices at 2 positions" in problem(cohort)


class PanicException(BaseException):
    """As the codecs written in Rust raise it: no Exception."""


def test_panic_of_a_codec_is_a_sentence(cohort, monkeypatch):
    write_series(cohort / "a", pixels(2))

    def panic(*_):
        raise PanicException("index out of bounds")

    monkeypatch.setattr(pydicom.Dataset, "pixel_array", property(panic))
    assert "pixels that cannot be decoded" in problem(cohort)


def test_interrupt_is_no_damage(cohort, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(pydicom.Dataset, "pixel_array", property(interrupt))
    with pytest.raises(KeyboardInterrupt):
        DicomFolder(cohort).check()


def test_real_panic_of_the_rle_codec_is_a_sentence_and_writes_nothing(tmp_path, capfd):
    made = mr_slice(Series(), pixels(1)[0], 0)
    made.compress(RLELossless, generate_instance_uid=False)
    (frame,) = pydicom.encaps.generate_frames(made.PixelData, number_of_frames=1)
    for number in range(20):
        damaged = bytearray(frame)
        damaged[8] = number  # where the second half of the bytes begins: no longer at a run
        made.PixelData = pydicom.encaps.encapsulate([bytes(damaged)])
        made.PatientID, made.SOPInstanceUID = f"ID{number}", f"1.2.{number}"
        made.save_as(tmp_path / f"{number}.dcm", enforce_file_format=True)
    problems = DicomFolder(tmp_path).check().problems
    assert sum("cannot be decoded (RLE Lossless)" in said for said in problems) == 20
    assert capfd.readouterr() == ("", "")


def test_values_of_a_file_do_not_reach_the_log(tmp_path, caplog):
    path = save(mr_slice(Series(space="1.2.345678"), pixels(1)[0], 0), tmp_path / "0.dcm")
    path.write_bytes(path.read_bytes().replace(b"1.2.345678", b"1.2.SECRET"))
    write_labels(tmp_path)
    with caplog.at_level("DEBUG"):
        assert DicomFolder(tmp_path).check().findings[0].slices == 1
    assert caplog.text == ""
