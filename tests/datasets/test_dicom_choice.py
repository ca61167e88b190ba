"""Which series is read, and what the notes say of it."""

import numpy as np
import pytest

from tests.datasets.dicom_files import SAGITTAL, Series, pixels, write_labels, write_series
from xaibench.api import XaibenchError
from xaibench.datasets.dicom.folder import DicomFolder

LONG_TIMES = {"EchoTime": "100", "RepetitionTime": "4000"}


def chosen(root, **options):
    (finding,) = DicomFolder(root, **options).check().findings
    return finding.series


@pytest.mark.parametrize(
    "other",
    [
        Series(description="AX T1"),
        Series(description="SAG T2", orientation=SAGITTAL),
        Series(description="AX T2* GRE"),
        Series(description="AX T2 FLAIR"),
        Series(description="ep2d_diff_b800", tags=LONG_TIMES),
        Series(description="AX", tags=LONG_TIMES | {"ScanningSequence": ["EP"]}),
        Series(description="AX", tags={"EchoTime": "12", "RepetitionTime": "500"}),
        Series(description="AX T2 three plane", tags={"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}),
        Series(description="AX T2 copy", tags={"ImageType": ["DERIVED", "SECONDARY"]}),
        Series(description="AX T2 CT", tags={"Modality": "CT"}),
    ],
    ids=lambda series: series.description,
)
def test_axial_t2_is_chosen_among_others_that_have_more_slices(root, other):
    write_series(root / "a", pixels(9), other)
    write_series(root / "b", pixels(3), Series(description="t2_tse_tra"))
    assert chosen(root) == "t2_tse_tra"
    (left,) = [note for note in DicomFolder(root).notes() if "left out" in note]
    assert repr(other.description) in left


@pytest.mark.parametrize(
    "series",
    [
        Series(description="eT2W_TSE_AX"),
        Series(description="AX", tags=LONG_TIMES),
        Series(description="AX", tags={"AcquisitionContrast": "T2"}),
    ],
)
def test_t2_is_told_by_description_or_by_tags(root, series):
    write_series(root, pixels(3), series)
    assert chosen(root) == series.description


def test_of_two_the_one_with_more_slices_is_read_then_the_earlier_one(root):
    write_series(root / "a", pixels(3), Series(description="T2 tse"))
    write_series(root / "b", pixels(5), Series(description="T2 fse", tags={"StudyDate": "20010101"}))
    write_series(root / "c", pixels(5), Series(description="T2 fs", tags={"StudyDate": "20000101"}))
    assert chosen(root) == "T2 fs"


@pytest.mark.parametrize("rule", ["sag", "^SAG t2$", "S.G"])
def test_rule_is_searched_for_without_regard_to_case(root, rule):
    write_series(root / "a", pixels(3), Series(description="SAG T2", orientation=SAGITTAL))
    write_series(root / "b", pixels(3))
    assert chosen(root, series=rule) == "SAG T2"


def test_rule_that_fits_nothing_names_what_is_there(root):
    write_series(root, pixels(3))
    (finding,) = DicomFolder(root, "dwi").check().findings
    assert (
        "no MR series matches the rule 'dwi' (found: 'AX T2 TSE'); choose one with --series."
        in finding.problem
    )


def test_bad_rule_is_refused(root):
    write_series(root, pixels(3))
    with pytest.raises(XaibenchError, match="is no regular expression"):
        DicomFolder(root, "T2*(").notes()


def test_patients_of_whom_the_same_is_said_share_a_note(root):
    for number in (1, 2, 3, 5):
        write_series(root / str(number), pixels(2), Series(patient=f"ID{number}"))
    write_series(root / "4", pixels(3), Series(patient="ID4"))
    write_labels(root, "patient,label\n" + "".join(f"ID{number},{number % 2}\n" for number in range(1, 6)))
    assert DicomFolder(root).notes() == [
        "P001 to P003, P005: read the series 'AX T2 TSE' (2 slices of 40x36).",
        "P004: read the series 'AX T2 TSE' (3 slices of 40x36).",
    ]


def test_notes_are_the_same_before_and_after_reading(root):
    write_series(root, pixels(4))
    before, after = DicomFolder(root), DicomFolder(root)
    (volume,) = after.volumes()
    assert before.notes() == after.notes()
    assert volume.regions is None
    assert np.isfinite(volume.images).all()
