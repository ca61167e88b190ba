"""What a volume says besides its pixels: where it lies, what its region is called, whose it is."""

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from tests.datasets.dicom_files import AXIAL, OBLIQUE, SAGITTAL, Series, mr_slice, pixels, save, write_series
from xaibench.api import AcceptsPaths, Checkable, Dataset, DatasetFacts, Labelled
from xaibench.datasets.dicom.folder import DicomFolder

KEY = b"a key of the test"


def only(root, **options):
    (volume,) = DicomFolder(root, **options).volumes()
    return volume


@pytest.mark.parametrize("orientation", [AXIAL, OBLIQUE, SAGITTAL, (-1.0, 0, 0, 0, -1.0, 0)])
def test_affine_places_every_pixel_where_its_own_header_does(root, orientation):
    sources = write_series(root, pixels(4), Series(orientation=orientation))
    affine = only(root, series=".").affine
    for index, header in enumerate(sources):
        along_row, along_column = np.array(header.ImageOrientationPatient, float).reshape(2, 3)
        row_mm, column_mm = header.PixelSpacing
        for row, column in [(0, 0), (39, 0), (0, 35), (17, 11)]:
            place = np.array(header.ImagePositionPatient, float)
            place = place + along_column * row_mm * row + along_row * column_mm * column
            np.testing.assert_allclose((affine @ (index, row, column, 1))[:3], place, atol=1e-5)


def test_slices_that_are_pushed_aside_one_after_the_other_keep_their_places(root):
    for index, values in enumerate(pixels(4)):
        tags = {"ImagePositionPatient": [2.0 * index, 0.0, 5.0 * index]}
        save(mr_slice(Series(tags=tags), values, index), root / f"{index}.dcm")
    np.testing.assert_allclose(only(root).affine @ (3, 0, 0, 1), (6, 0, 15, 1))


def test_place_of_slices_at_uneven_distances_is_not_claimed(root):
    for index, height in enumerate((0.0, 4.0, 8.0, 16.0)):
        tags = {"ImagePositionPatient": [0.0, 0.0, height]}
        save(mr_slice(Series(tags=tags), pixels(4)[index], index), root / f"{index}.dcm")
    assert only(root).affine is None


def test_single_slice_has_a_place(root):
    write_series(root, pixels(1))
    affine = only(root).affine
    np.testing.assert_allclose(affine @ (0, 2, 4, 1), (-5 + 4 * 0.5, -7 + 2 * 0.75, -30, 1))
    np.testing.assert_allclose((affine @ (1, 0, 0, 1))[:3], (-5, -7, -29))  # 1 mm towards the head


def test_region_is_called_tumour_unless_the_user_chose_another(root):
    write_series(root, pixels(2))
    assert only(root).region_name == "tumour"
    assert only(root, roi="bladder").region_name == "region"


def identity(root, **tags):
    """Hashes of a patient whose files carry these elements besides the usual ones."""
    root.mkdir()
    write_series(root, pixels(2), Series(tags=tags))
    (root / "labels.csv").write_text(f"patient,label\n{tags.get('PatientID', 'SECRET-42')},1\n")
    return only(root).identity.under(KEY)


def new_uids(number):
    kinds = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")
    return {kind: f"1.2.{number}.{place}" for place, kind in enumerate(kinds)}


def test_patient_is_known_again_by_number_or_by_any_uid(tmp_path):
    first = identity(tmp_path / "first", **new_uids(1))
    assert len(first) == 4
    assert first == identity(tmp_path / "again", **new_uids(1))
    assert len(first & identity(tmp_path / "new uids", **new_uids(2))) == 1
    assert len(first & identity(tmp_path / "new number", PatientID="SECRET-77", **new_uids(1))) == 3
    assert not first & identity(tmp_path / "other", PatientID="SECRET-77", **new_uids(3))


def test_same_number_of_two_issuers_is_two_patients(tmp_path):
    sites = [
        identity(tmp_path / site, PatientID="001", IssuerOfPatientID=site, **new_uids(number))
        for number, site in enumerate(("North", "South"))
    ]
    assert not sites[0] & sites[1]


def test_frame_of_reference_of_an_atlas_tells_nobody(tmp_path):
    talairach = {"FrameOfReferenceUID": "1.2.840.10008.1.4.1.1"}
    people = [
        identity(tmp_path / number, PatientID=number, **(new_uids(number) | talairach)) for number in "12"
    ]
    assert not people[0] & people[1]


def test_folder_declares_what_the_contract_asks(root):
    facts = DatasetFacts(summary=DicomFolder.summary, path_field=DicomFolder.path_field)
    assert facts.path_field == "root"
    for noun in (Dataset, AcceptsPaths, Checkable, Labelled):
        assert isinstance(DicomFolder(root), noun)


def test_folder_with_dicom_in_it_is_accepted_whatever_the_files_are_called(tmp_path):
    save(mr_slice(Series(), pixels(1)[0], 0), tmp_path / "deep" / "er" / "IM_0001")
    (tmp_path / "a.txt").write_text("no image")
    assert DicomFolder.accepts(tmp_path)


def test_other_paths_are_not_accepted(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    assert not DicomFolder.accepts(tmp_path)
    assert not DicomFolder.accepts(tmp_path / "a.png")
    assert not DicomFolder.accepts(tmp_path / "missing")


def test_few_files_are_looked_at(tmp_path, monkeypatch):
    for index in range(300):
        (tmp_path / f"{index}.txt").write_text("no image")
    looked_at = []
    monkeypatch.setattr("xaibench.datasets.dicom.folder.is_dicom", lambda path: looked_at.append(path))
    assert not DicomFolder.accepts(tmp_path)
    assert 0 < len(looked_at) < 100


def test_real_file_is_its_own_patient_again(tmp_path):
    path = tmp_path / "real.dcm"
    header = pydicom.dcmread(get_testdata_file("MR_small.dcm", download=False))
    header.save_as(path)
    (tmp_path / "labels.csv").write_text("patient,label\n4MR1,0\n")
    assert only(tmp_path).identity.under(KEY)
    assert only(tmp_path).identity.under(KEY) == only(tmp_path).identity.under(KEY)
    assert only(tmp_path).identity.under(KEY) != only(tmp_path).identity.under(b"another key")
