"""The labels file, as a user may write it."""

import pytest

from tests.datasets.dicom_files import Series, pixels, write_labels, write_series
from xaibench.api import XaibenchError
from xaibench.datasets.dicom.folder import DicomFolder
from xaibench.datasets.labels import read_labels


def labels(tmp_path, text):
    return read_labels(tmp_path, write_labels(tmp_path, text))


def test_patient_keeps_its_zeros(tmp_path):
    assert labels(tmp_path, "patient,label\n007,1\n7,0\n").of == {"007": (1,), "7": (0,)}


@pytest.mark.parametrize(
    ("text", "of", "names"),
    [
        ("patient,label\na,0\nb,1\n", {"a": 0, "b": 1}, ("class 0", "class 1")),
        ("\ufeffPatient, Label \na,0.0\nb,2.0\n", {"a": 0, "b": 2}, ("class 0", "class 1", "class 2")),
        ("patient,label,label_name\na,0,no\nb,1,yes\n", {"a": 0, "b": 1}, ("no", "yes")),
        ("patient,age,label\na,50,recurrence\nb,60,Cured\n", {"a": 1, "b": 0}, ("Cured", "recurrence")),
        ("patient,label\na,1\nb,\nc,NA\nd,0\n,1\n", {"a": 1, "d": 0}, ("class 0", "class 1")),
        ("patient,label\na,-1\nb,1\n", {"a": 0, "b": 1}, ("-1", "1")),
    ],
)
def test_labels_are_numbers_or_words(tmp_path, text, of, names):
    found = labels(tmp_path, text)
    assert found.of == {patient: (label,) for patient, label in of.items()}
    assert found.names == names


def test_two_labels_of_one_patient_are_named_by_line_and_not_used(tmp_path):
    found = labels(tmp_path, "patient,label\na,1\nb,0\na,0\nb,0\nc,1\n")
    assert found.of == {"b": (0,), "c": (1,)}
    assert [note.text for note in found.notes] == [
        "labels.csv labels one patient differently on lines 2 and 4; keep one of them."
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,label\na,1\n", "needs the columns patient and label, but its first line has: name, label"),
        ("", "but its first line has: nothing"),
        ("patient,label\na,\n", "labels no patient"),
    ],
)
def test_unusable_file_is_refused(tmp_path, text, said):
    with pytest.raises(XaibenchError, match=said):
        labels(tmp_path, text)


def test_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "labels.csv").write_bytes(b"patient,label\n\xff\xfe,1\n")
    with pytest.raises(XaibenchError, match="save it as comma-separated UTF-8 text"):
        read_labels(tmp_path, None)


def test_missing_file_is_refused_but_checked_all_the_same(tmp_path):
    write_series(tmp_path, pixels(2))
    folder = DicomFolder(tmp_path)
    with pytest.raises(
        XaibenchError, match="holds no labels; write a CSV file with the columns patient,label"
    ):
        list(folder.volumes())
    result = folder.check()
    assert result.findings[0].slices == 2
    assert "holds no labels" in result.problems[0]


def test_clinical_csv_goes_first(tmp_path):
    write_labels(tmp_path)
    (tmp_path / "clinical.csv").write_text("patient,label\na,1\n")
    assert read_labels(tmp_path, None).file == "clinical.csv"


def test_patients_without_label_and_labels_without_patient_are_said(tmp_path):
    for patient in ("ID1", "ID2", "ID3"):
        write_series(tmp_path / patient, pixels(2), Series(patient=patient))
    write_labels(tmp_path, "patient,label\nID9,0\nID3,0\nID1,1\n")
    folder = DicomFolder(tmp_path)
    assert [(volume.patient, volume.label) for volume in folder.volumes()] == [("P001", 1), ("P003", 0)]
    assert "P002: labels.csv gives it no label, so it is skipped." in folder.notes()
    assert "labels.csv labels 1 patients that the folder does not hold (lines 2)." in folder.notes()


def test_table_of_the_check_has_a_row_a_patient(tmp_path):
    write_series(tmp_path, pixels(2))
    write_labels(tmp_path, "patient,label,label_name\nSECRET-42,1,relapse\n")
    header, rows, problems = DicomFolder(tmp_path).check_table()
    assert dict(zip(header, rows[0], strict=True)) == {
        "patient": "P001",
        "series": "AX T2 TSE",
        "slices": "2",
        "size": "40x36",
        "spacing (mm)": "0.75 x 0.5",
        "mask": "no",
        "label": "relapse",
        "problem": "",
    }
    assert problems == []


def test_several_labels_stand_between_bars(tmp_path):
    found = labels(tmp_path, "patient,label\na,mass|effusion\nb,Effusion2\nc,No Finding\nd,effusion\n")
    assert found.names == ("effusion", "Effusion2", "mass")
    assert found.of == {"a": (0, 2), "b": (1,), "c": (), "d": (0,)}
    numbered = labels(tmp_path, "patient,label\na,0|2\nb,1\n")
    assert numbered.of == {"a": (0, 2), "b": (1,)}
    assert numbered.names == ("class 0", "class 1", "class 2")


def test_no_finding_is_a_class_of_its_own_where_labels_exclude_each_other(tmp_path):
    found = labels(tmp_path, "patient,label\na,mass\nb,No Finding\n")
    assert found.names == ("mass", "No Finding")
    assert found.of == {"a": (0,), "b": (1,)}
