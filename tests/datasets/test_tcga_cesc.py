"""TCGA-CESC is read from its fetched folder, with labels by rule."""

import numpy as np
import pytest

from tests.datasets.dicom_files import Series, pixels, write_series
from xaibench.api import Dataset, XaibenchError
from xaibench.datasets.idc.tcga_cesc import TcgaCesc
from xaibench.datasets.idc.tcga_labels import Counts, make_rule

# By pfi and by tumour status: 0 and 0, 1 and 1, 1 and 0; the last had no stated radiotherapy (1 and 1).
PATIENTS = ("TCGA-VS-A8EC", "TCGA-VS-A9U6", "TCGA-VS-A9UQ", "TCGA-VS-A8EB")


@pytest.fixture
def root(tmp_path):
    for seed, patient in enumerate(PATIENTS):
        write_series(
            tmp_path / patient / "1", pixels(4, seed=seed), Series(patient, "AXI T2 3mm HR", uid=f"1.{seed}")
        )
    return tmp_path


def read(root, **options):
    return {volume.patient: volume for volume in TcgaCesc(root, **options).volumes()}


@pytest.mark.parametrize(
    ("options", "labels"),
    [
        ({}, {"P002": 0, "P003": 1, "P004": 1}),
        ({"recurrence": "tumor-status"}, {"P002": 0, "P003": 1, "P004": 0}),
        ({"radiotherapy": "any"}, {"P001": 1, "P002": 0, "P003": 1, "P004": 1}),
    ],
)
def test_labels_follow_the_rule(root, options, labels):
    found = read(root, **options)
    assert {name: volume.label for name, volume in found.items()} == labels
    assert all(volume.regions is None for volume in found.values())


def test_main_series_is_read_although_another_has_more_slices(root):
    overview = Series(PATIENTS[0], "AXI T2 ssSH 5MM", uid="1.9")
    write_series(root / PATIENTS[0] / "2", pixels(9, seed=8), overview)
    expected = pixels(4, seed=0).astype(np.float32)
    np.testing.assert_array_equal(read(root)["P002"].images[..., 0], expected)
    assert len(read(root, series="ssSH")["P002"].images) == 9


def test_notes_say_the_counts_of_the_rule_and_of_the_paper(root):
    notes = TcgaCesc(root).notes()
    assert notes[0].startswith(
        "TCGA-CESC by --recurrence pfi --radiotherapy yes: 28 non-recurrent and 6 recurr"
    )
    assert "21 and 7" in notes[0]
    assert any("P001: The clinical table" in note and "gives it no label" in note for note in notes)
    assert not any("TCGA-VS" in note for note in notes)


def test_folder_without_a_fetch_is_refused_with_the_command(tmp_path):
    for root in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(XaibenchError, match=f"data fetch tcga-cesc --out {root}"):
            list(TcgaCesc(root).volumes())


def test_default_folder_is_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XAIBENCH_CACHE", str(tmp_path))
    with pytest.raises(XaibenchError, match=str(tmp_path / "tcga-cesc")):
        TcgaCesc().notes()


def test_it_is_a_dataset_and_says_the_counts_of_its_rule():
    assert isinstance(TcgaCesc(), Dataset)
    assert TcgaCesc().class_names == ("non-recurrent", "recurrent")
    assert make_rule("pfi", "yes").counts() == Counts(28, 6, 0)
