"""Folders of NIfTI volumes become a cohort, whichever way the arrays lie in the files."""

import itertools
from pathlib import Path

import nibabel
import numpy as np
import pytest

from xaibench.api import AcceptsPaths, Checkable, Dataset, DatasetFacts, XaibenchError
from xaibench.datasets.nifti import Nifti
from xaibench.harness.contract.datasets import EVERY_DATASET

DRAW = np.random.default_rng(0)
SHAPE = (7, 9, 5)  # towards the right, the front, the head
VALUES = DRAW.normal(100, 20, SHAPE).astype(np.float32)
AFFINE = np.array([[0.5, 0, 0, -3], [0, 0.75, 0, 4], [0, 0, 3.0, -20], [0, 0, 0, 1]])  # RAS+
TILT = np.array([[1, 0, 0, 0], [0, 0.8, -0.6, 0], [0, 0.6, 0.8, 0], [0, 0, 0, 1.0]])
REGION = DRAW.random(SHAPE) < 0.1


def save(path, values=VALUES, affine=AFFINE, code=1, codes="RAS", **header):
    """Write an array that lies towards R, A, S by `affine` as a file whose axes go where `codes` say."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(values, affine)
    start, end = (nibabel.orientations.axcodes2ornt(name) for name in ("RAS", codes))
    image = image.as_reoriented(nibabel.orientations.ornt_transform(start, end))
    image.set_sform(image.affine, code)
    image.set_qform(image.affine, code)
    for name, value in header.items():
        image.header[name] = value
    image.to_filename(path)


def table(root, text="image,label\na,1\n"):
    (root / "labels.csv").write_text(text)


def only(root, **options):
    (volume,) = Nifti(root, **options).volumes()
    return volume


def as_axial(values):
    """Slices towards the head, rows towards the back, columns towards the left: one index after the other."""
    slices, rows, columns = SHAPE[2], SHAPE[1], SHAPE[0]
    found = np.empty((slices, rows, columns), values.dtype)
    for s, r, c in itertools.product(range(slices), range(rows), range(columns)):
        found[s, r, c] = values[columns - 1 - c, rows - 1 - r, s]
    return found


@pytest.fixture
def cohort(tmp_path):
    for number, name in enumerate("abc"):
        save(tmp_path / "images" / f"{name}.nii.gz", VALUES + number)
    save(tmp_path / "masks" / "a.nii.gz", REGION.astype(np.uint8))
    table(tmp_path, "image,label\na,1\nb,0\nc,1\n")
    return tmp_path


@pytest.mark.parametrize("check", EVERY_DATASET, ids=lambda check: check.__name__)
def test_folder_keeps_the_contract(check, cohort):
    check(Nifti(cohort))


def test_it_is_a_dataset_that_accepts_paths(cohort):
    assert DatasetFacts(summary=Nifti.summary, path_field=Nifti.path_field)
    for noun in (Dataset, AcceptsPaths, Checkable):
        assert isinstance(Nifti(cohort), noun)
    assert Nifti.accepts(cohort)
    assert not Nifti.accepts(cohort / "labels.csv")


EVERY_WAY = [
    "".join(axes)
    for order in itertools.permutations(("RL", "AP", "SI"))
    for axes in itertools.product(*order)
]


def test_volume_is_the_same_whichever_of_48_ways_the_file_is_stored(tmp_path):
    table(tmp_path)
    for codes in EVERY_WAY:
        save(tmp_path / "a.nii", codes=codes)
        save(tmp_path / "masks" / "a.nii", REGION.astype(np.uint8), codes=codes)
        volume = only(tmp_path)
        np.testing.assert_array_equal(volume.images[..., 0], as_axial(VALUES))
        np.testing.assert_array_equal(volume.regions, as_axial(REGION))
        assert volume.spacing_mm == pytest.approx((0.75, 0.5))
    assert len(EVERY_WAY) == 48


@pytest.mark.parametrize("plane", [None, "axial", "sagittal", "coronal"])
@pytest.mark.parametrize("affine", [AFFINE, TILT @ AFFINE])
def test_affine_leads_every_voxel_to_its_place_in_dicom_coordinates(tmp_path, plane, affine):
    save(tmp_path / "a.nii", affine=affine, codes="PIR")
    table(tmp_path)
    volume = only(tmp_path, plane=plane)
    by_value = {float(value): index for index, value in np.ndenumerate(VALUES)}
    for index in [(0, 0, 0), (1, 2, 3), (3, 1, 2)]:
        place = np.array([*by_value[float(volume.images[index][0])], 1.0])
        right, front, head, _ = affine @ place
        np.testing.assert_allclose(volume.affine @ (*index, 1), (-right, -front, head, 1), atol=1e-4)


@pytest.mark.parametrize(
    ("plane", "rows", "columns"),
    [("axial", "back", "left"), ("sagittal", "feet", "back"), ("coronal", "feet", "left")],
)
def test_slices_are_shown_as_radiologists_see_them(tmp_path, plane, rows, columns):
    along = {"left": (1, 0, 0), "back": (0, 1, 0), "feet": (0, 0, -1)}
    save(tmp_path / "a.nii", codes="ASL")
    table(tmp_path)
    affine = only(tmp_path, plane=plane).affine
    for axis, way in ((1, rows), (2, columns)):
        np.testing.assert_allclose(affine[:3, axis] / np.linalg.norm(affine[:3, axis]), along[way], atol=1e-6)


@pytest.mark.parametrize(("thick", "plane"), [(0, "sagittal"), (1, "coronal"), (2, "axial"), (None, "axial")])
def test_plane_is_the_one_that_was_acquired(tmp_path, thick, plane):
    distances = [1.0, 1.0, 1.0, 1.0]
    if thick is not None:
        distances[thick] = 4.0
    save(tmp_path / "a.nii", affine=np.diag(distances), codes="SRA")
    table(tmp_path)
    np.testing.assert_array_equal(only(tmp_path).images, only(tmp_path, plane=plane).images)


def test_mask_follows_the_plane_of_its_image_and_marks_a_label(tmp_path):
    labels = (REGION + 2 * (DRAW.random(SHAPE) < 0.1)).astype(np.int16)
    save(tmp_path / "a.nii", codes="LPI")
    save(tmp_path / "a_seg.nii.gz", labels, codes="AIR")
    table(tmp_path)
    for label in (None, 1, 2):
        volume = only(tmp_path, plane="coronal", mask_label=label)
        place = {float(v): index for index, v in np.ndenumerate(VALUES)}
        of_labels = np.vectorize(lambda v: labels[place[float(v)]])(volume.images[..., 0])  # noqa: B023
        np.testing.assert_array_equal(volume.regions, of_labels != 0 if label is None else of_labels == label)
    assert only(tmp_path, mask_label=9).regions is None


def test_slope_and_intercept_count(tmp_path):
    stored = DRAW.integers(0, 200, SHAPE).astype(np.int16)
    image = nibabel.Nifti1Image(stored, AFFINE)
    image.header.set_slope_inter(0.5, -7)
    image.to_filename(tmp_path / "a.nii")
    stored_again = nibabel.load(tmp_path / "a.nii")
    slope, intercept = stored_again.dataobj.slope, stored_again.dataobj.inter
    table(tmp_path)
    raw = np.asarray(stored_again.dataobj.get_unscaled())
    np.testing.assert_allclose(only(tmp_path).images[..., 0], as_axial(raw * slope + intercept), rtol=1e-6)


def test_bids_names_give_patients_and_their_masks(tmp_path):
    for subject in ("sub-01", "sub-02"):
        save(tmp_path / subject / "anat" / f"{subject}_T2w.nii.gz")
        save(tmp_path / subject / "anat" / f"{subject}_T1w.nii.gz")
    derived = tmp_path / "derivatives" / "lesions" / "sub-02" / "anat" / "sub-02_label-lesion_dseg.nii.gz"
    save(derived, REGION.astype(np.uint8))
    table(tmp_path, "patient,label\nsub-01,0\nsub-02,1\n")
    first, second = Nifti(tmp_path, only="T2w").volumes()
    assert first.regions is None
    np.testing.assert_array_equal(second.regions, as_axial(REGION))


def test_a_mask_goes_to_the_image_of_its_session(tmp_path):
    for session in ("ses-1", "ses-2"):
        where = Path("sub-01") / session / "anat"
        save(tmp_path / where / f"sub-01_{session}_T1w.nii.gz")
        region = REGION if session == "ses-1" else np.roll(REGION, 1, axis=0)
        mask = f"sub-01_{session}_space-orig_desc-lesion_mask.nii.gz"
        save(tmp_path / "derivatives" / "lesions" / where / mask, region.astype(np.uint8))
    table(tmp_path, "patient,label\nsub-01,0\n")
    for session, region in (("ses-1", REGION), ("ses-2", np.roll(REGION, 1, axis=0))):
        dataset = Nifti(tmp_path, only=session)
        (volume,) = dataset.volumes()
        np.testing.assert_array_equal(volume.regions, as_axial(region))
        assert dataset.notes() == [
            "labels.csv holds one class only (class 0), so accuracy says nothing here."
        ]


def test_masks_without_an_image_are_told(tmp_path):
    save(tmp_path / "sub-01_T1w.nii.gz")
    save(tmp_path / "derivatives" / "sub-02_desc-lesion_mask.nii.gz", REGION.astype(np.uint8))
    table(tmp_path, "patient,label\nsub-01,0\n")
    dataset = Nifti(tmp_path)
    assert next(dataset.volumes()).regions is None
    assert any(
        note.startswith("Masks that belong to no image, or to several: 1;") for note in dataset.notes()
    )
    assert "[derivatives/sub-02_desc-lesion_mask.nii.gz]" in dataset.check_table()[2][0]


def test_several_volumes_of_a_patient_ask_for_a_choice(tmp_path):
    for kind in ("T1w", "T2w"):
        save(tmp_path / f"sub-01_{kind}.nii")
    table(tmp_path, "patient,label\nsub-01,0\n")
    with pytest.raises(
        XaibenchError, match="P001: 2 volumes can be used, and one is read; choose it by --only"
    ):
        list(Nifti(tmp_path).volumes())


def test_nnunet_names_fit_together(tmp_path):
    save(tmp_path / "imagesTr" / "case_01_0000.nii.gz")
    save(tmp_path / "labelsTr" / "case_01.nii.gz", REGION.astype(np.uint8))
    table(tmp_path, "image,label\ncase_01_0000.nii.gz,1\n")
    np.testing.assert_array_equal(only(tmp_path).regions, as_axial(REGION))


@pytest.mark.parametrize(
    ("values", "affine"),
    [(REGION[:, :-1], AFFINE), (REGION, AFFINE + np.diag([0, 0, 0.1, 0])), (REGION, np.diag([1.0, 1, 1, 1]))],
)
def test_mask_on_another_grid_costs_the_mask_only(cohort, values, affine):
    save(cohort / "masks" / "a.nii.gz", values.astype(np.uint8), affine)
    dataset = Nifti(cohort)
    assert next(dataset.volumes()).regions is None
    assert (
        "P001: a mask lies on another grid than its image; resample it to the image; it is left out."
        in dataset.notes()
    )


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.zeros((*SHAPE, 3), np.float32), "has 4 axes"),
        (np.full(SHAPE, np.nan, np.float32), "not finite"),
        (np.zeros(SHAPE, np.complex64), "colours or complex numbers"),
        (np.zeros(SHAPE, [("R", "u1"), ("G", "u1"), ("B", "u1")]), "colours or complex numbers"),
    ],
)
def test_unfit_volume_is_left_out_and_said(cohort, values, said):
    nibabel.Nifti1Image(values, AFFINE).to_filename(cohort / "images" / "b.nii.gz")
    dataset = Nifti(cohort)
    assert [volume.patient for volume in dataset.volumes()] == ["P001", "P003"]
    assert any(note.startswith("P002: a file") and said in note for note in dataset.notes())


@pytest.mark.parametrize("length", [0, 100, 400, -30])
def test_cut_file_is_left_out(cohort, length):
    path = cohort / "images" / "b.nii.gz"
    path.write_bytes(path.read_bytes()[:length])
    dataset = Nifti(cohort)
    assert len(list(dataset.volumes())) == 2
    assert any("P002: a file is damaged, or no NIfTI" in note for note in dataset.notes())


def test_axes_of_length_one_do_not_count(tmp_path):
    save(tmp_path / "a.nii")
    nibabel.Nifti1Image(VALUES[..., None], AFFINE).to_filename(tmp_path / "b.nii")
    nibabel.Nifti1Image(VALUES[..., 0], AFFINE).to_filename(tmp_path / "c.nii")
    table(tmp_path, "image,label\na,1\nb,1\nc,0\n")
    first, second, third = Nifti(tmp_path).volumes()
    np.testing.assert_array_equal(first.images, second.images)
    np.testing.assert_array_equal(third.images, first.images[:1])


def test_file_that_does_not_say_its_orientation_is_read_and_told(tmp_path):
    save(tmp_path / "a.nii", code=0)
    table(tmp_path)
    assert any("does not say how it lies in the patient" in note for note in Nifti(tmp_path).notes())


def test_missing_library_is_said_with_its_extra(cohort, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "nibabel", None)
    with pytest.raises(XaibenchError, match=r"xaibench\[nifti\]"):
        list(Nifti(cohort).volumes())
