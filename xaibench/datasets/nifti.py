"""A cohort of NIfTI volumes, with masks as label images on the same grid."""

import importlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from xaibench.api import Affine, Regions, XaibenchError
from xaibench.datasets.file_cohort import FileCohort, Loaded
from xaibench.datasets.unreadable import Unreadable, guarded

Plane = Literal["axial", "sagittal", "coronal"]
AXES: dict[Plane, tuple[str, str, str]] = {
    "axial": ("S", "P", "L"),
    "sagittal": ("L", "I", "P"),
    "coronal": ("P", "I", "L"),
}
"""Where slices, rows and columns go: to the head (S) or feet (I), the back (P), the left (L)."""
THROUGH: dict[str, Plane] = {
    "S": "axial",
    "I": "axial",
    "L": "sagittal",
    "R": "sagittal",
    "P": "coronal",
    "A": "coronal",
}
"""Plane of the slices that follow each other in a direction."""
TO_DICOM = np.diag(
    [-1.0, -1.0, 1.0, 1.0]
)  # NIfTI counts towards right and front, DICOM towards left and back
SAME_PLACE_MM = 0.05
UNEQUAL = 1.01


@dataclass(frozen=True)
class Nifti(FileCohort):
    """One NIfTI file a patient, cut into slices as radiologists see them: `only` chooses where there are several."""

    plane: Plane | None = None
    """Which slices; None = those that were acquired: across the axis of the largest distance, axial if none is."""
    mask_label: int | None = None
    """Value of the label image that marks the region; None = all but 0."""

    summary: ClassVar[str] = "a folder of NIfTI volumes, with labels.csv and masks as label images"
    suffixes: ClassVar[tuple[str, ...]] = (".nii", ".nii.gz")

    def load(self, path: Path) -> Loaded:
        """Read a volume as `[slices h w 1]`, after slope and intercept, turned to the patient's axes."""
        opened = _open(path)
        values, affine = _turned(opened, self.plane or _acquired_plane(opened))
        if not np.isfinite(values).all():
            raise Unreadable("holds values that are not finite numbers")
        rows, columns = np.linalg.norm(affine[:3, 1:3], axis=0)
        placed = any(int(opened.header[code]) for code in ("qform_code", "sform_code"))
        doubt = "" if placed else "a file does not say how it lies in the patient; it is taken as stored."
        return Loaded(values[..., None], (float(rows), float(columns)), TO_DICOM @ affine, doubt)

    def load_mask(self, path: Path, image: Loaded) -> Regions:
        """Read a label image. Raises Unreadable where its grid is not the image's."""
        like = TO_DICOM @ (np.eye(4) if image.affine is None else image.affine)
        values, affine = _turned(_open(path), THROUGH[nibabel().aff2axcodes(like)[0]])
        if values.shape != image.images.shape[:3] or not _same_grid(affine, like, values.shape):
            raise Unreadable("lies on another grid than its image; resample it to the image")
        labels = np.round(values)
        marked: Regions = labels != 0 if self.mask_label is None else labels == self.mask_label
        return marked

    def together(self, loaded: Sequence[Loaded]) -> Loaded:
        """Return the one volume. Raises Unreadable where there are several."""
        if len(loaded) != 1:
            raise Unreadable(f"{len(loaded)} volumes can be used, and one is read; choose it by --only")
        return loaded[0]


def nibabel() -> Any:
    """Return the library that reads NIfTI. Raises XaibenchError without it."""
    try:
        return importlib.import_module("nibabel")
    except ImportError as error:
        raise XaibenchError(
            "NIfTI files are read by nibabel, which is not installed; install it with `pip install 'xaibench[nifti]'`."
        ) from error


def _open(path: Path) -> Any:
    """Open an image of three axes. Raises Unreadable."""
    library = nibabel()
    with guarded("is damaged, or no NIfTI"):
        opened = library.load(path)
        shape = (*opened.shape, 1, 1)[:3]
        if int(np.prod(opened.shape)) != int(np.prod(shape)):
            raise Unreadable(
                f"has {len(opened.shape)} axes, where three are read; save the volumes one by one"
            )
        if opened.get_data_dtype().kind not in "biuf":
            raise Unreadable("holds colours or complex numbers, where plain numbers are read")
        values = opened.get_fdata(dtype=np.float32).reshape(shape)
        return library.Nifti1Image(values, opened.affine, opened.header)


def _acquired_plane(opened: Any) -> Plane:
    """Plane of the slices whose distance is larger than that of their pixels, axial if none is."""
    distances = np.array(opened.header.get_zooms()[:3])
    if distances.max() < UNEQUAL * distances.min():
        return "axial"
    return THROUGH[nibabel().aff2axcodes(opened.affine)[int(distances.argmax())]]


def _turned(opened: Any, plane: Plane) -> tuple[np.ndarray, Affine]:
    """Values `[slices h w]`, and the affine from slice, row and column to mm; nothing is resampled."""
    axes = nibabel().orientations
    with guarded("does not say how it lies in the patient"):
        wanted = axes.axcodes2ornt(AXES[plane])
        turned = opened.as_reoriented(axes.ornt_transform(axes.io_orientation(opened.affine), wanted))
        return np.asarray(turned.dataobj, np.float32), np.asarray(turned.affine, np.float64)


def _same_grid(first: Affine, second: Affine, shape: Sequence[int]) -> bool:
    """Whether every corner of the volume lies at one place by both affines."""
    corners = np.array(list(itertools.product(*((0, count - 1) for count in shape), (1,))))
    return bool(np.abs(corners @ (first - second).T).max() <= SAME_PLACE_MM)
