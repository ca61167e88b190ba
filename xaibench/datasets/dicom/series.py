"""In which order the slices of a series lie, and where."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from xaibench.api import Affine, Identity
from xaibench.datasets.dicom.copies import without_copies
from xaibench.datasets.dicom.planes import Plane
from xaibench.datasets.dicom.scan import ImageFile
from xaibench.datasets.notes import Note

SAME_COSINE, SAME_SPACING = 1e-3, 1e-3  # headers write both with about four digits
SAME_PLACE_MM = 0.01
UNEVEN = (
    0.1  # of the slice distance: farther from an even row of slices, an affine does not tell their places
)
NEAR = 0.25  # of the slice distance: what is drawn no farther off belongs to the slice


class Refused(Exception):  # noqa: N818 - an outcome, turned into a note on the patient
    """A patient or a series that is not read; the message is a sentence, `file` the one to blame."""

    def __init__(self, text: str, file: ImageFile | None = None) -> None:
        super().__init__(text)
        self.file = file


@dataclass(frozen=True)
class Stack:
    """Planes of one series in order along the slice normal."""

    series: str
    description: str
    """What may be shown of it."""
    space: str
    identity: Identity
    planes: tuple[Plane, ...]

    @property
    def normal(self) -> Float64[np.ndarray, "3"]:
        """Direction in which the slices follow each other, of length 1."""
        return normal_of(self.planes[0])

    @property
    def heights(self) -> Float64[np.ndarray, "n"]:
        """Place of each slice along the normal, in mm."""
        return np.asarray(_positions(self.planes) @ self.normal)

    @property
    def step(self) -> float:
        """Usual distance of neighbouring slices in mm; 1 where there is one slice only."""
        return float(np.median(np.diff(self.heights))) if len(self.planes) > 1 else 1.0

    @property
    def affine(self) -> Affine | None:
        """From (slice, row, column, 1) to mm (PS3.3 C.7.6.2.1.1); None for pictures, and at uneven distances.

        A single slice is taken to be 1 mm from the next.
        """
        first, positions = self.planes[0], _positions(self.planes)
        if not first.placed:
            return None
        count = len(positions)
        onwards = (positions[-1] - positions[0]) / (count - 1) if count > 1 else self.normal
        even = positions[0] + np.arange(count)[:, None] * onwards
        if np.abs(positions - even).max() > UNEVEN * self.step:
            return None
        along_row, along_column = np.array(first.orientation).reshape(2, 3)
        affine = np.eye(4)
        affine[:3] = np.column_stack(
            [onwards, along_column * first.spacing[0], along_row * first.spacing[1], positions[0]]
        )
        return affine


def arrange(files: Sequence[ImageFile]) -> tuple[Stack, list[Note]]:
    """Order the slices of a series by position along the cross product of rows and columns (PS3.3 C.7.6.2).

    Files without a usable plane are left out with a note. Raises Refused if none is left, if size, orientation
    or spacing differ between slices, or if several slices lie at one position.
    """
    notes = [
        Note(f"a file {file.fault}; it is left out.", file=str(file.path)) for file in files if file.fault
    ]
    held = [plane for file in files for plane in file.planes]
    planes = without_copies(held)
    if len(planes) < len(held):
        notes.append(
            Note(f"{len(held) - len(planes)} slices are there twice; each is read once.", problem=False)
        )
    named = {(plane.instance, plane.frame) for plane in planes if plane.instance}
    if len(named) < len(planes):
        text = (
            f"{len(planes)} slices have {len(named)} SOPInstanceUIDs; they are told apart by their position."
        )
        notes.append(Note(text))
    name = files[0].shown
    if not planes:
        raise Refused(f"the series {name!r} is not read: its file {files[0].fault}.", files[0])
    _refuse_mixed(planes, name)
    heights = _positions(planes) @ normal_of(planes[0])
    order = np.argsort(heights, kind="stable")
    places = 1 + int((np.diff(heights[order]) > SAME_PLACE_MM).sum())
    if places < len(planes):
        raise Refused(
            f"the series {name!r} has {len(planes)} slices at {places} positions (several echoes or times in one "
            f"series); split it, or choose another with --series."
        )
    ordered = tuple(planes[index] for index in order)
    first = files[0]
    return Stack(first.series, name, first.space, first.identity, ordered), notes


def gaps(stack: Stack) -> list[Note]:
    """Note where slices are missing: where neighbours lie more than 1.5 times their usual distance apart."""
    distances = np.diff(stack.heights)
    wide = np.flatnonzero(distances > 1.5 * stack.step)
    return [
        Note(
            f"slices are missing after slice {index}: the next lies {distances[index]:.1f} mm on, others "
            f"{stack.step:.1f} mm; the rest is read."
        )
        for index in wide.tolist()
    ]


def _refuse_mixed(planes: Sequence[Plane], name: str) -> None:
    sizes = {plane.size for plane in planes}
    orientations = np.array([plane.orientation for plane in planes])
    spacings = np.array([plane.spacing for plane in planes])
    mixed = {
        f"size ({', '.join(f'{h}x{w}' for h, w in sorted(sizes))})": len(sizes) > 1,
        "orientation": bool(np.abs(orientations - orientations[0]).max() > SAME_COSINE),
        "pixel spacing": bool(np.abs(spacings / spacings[0] - 1).max() > SAME_SPACING),
    }
    differing = " and ".join(what for what, differs in mixed.items() if differs)
    if differing:
        raise Refused(
            f"the slices of the series {name!r} differ in {differing}; choose another with --series."
        )


def _positions(planes: Sequence[Plane]) -> Float64[np.ndarray, "n 3"]:
    return np.array([plane.position for plane in planes])


def normal_of(plane: Plane) -> Float64[np.ndarray, "3"]:
    """Direction across a slice: rows times columns."""
    rows, columns = np.array(plane.orientation).reshape(2, 3)
    return np.cross(rows, columns)
