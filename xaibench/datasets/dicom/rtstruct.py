"""Masks of a series from the contours of a DICOM structure set (RTSTRUCT), by geometry alone."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pydicom
from highdicom.spatial import ReferenceToPixelTransformer
from jaxtyping import Float64
from pydicom.dataset import Dataset
from skimage.draw import polygon

from xaibench.api import Region, Regions
from xaibench.datasets.dicom.planes import Plane
from xaibench.datasets.dicom.rois import tumour_regions
from xaibench.datasets.dicom.scan import ImageFile
from xaibench.datasets.dicom.series import NEAR, Stack
from xaibench.datasets.notes import Note
from xaibench.datasets.unreadable import Unreadable, guarded

AREAS = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")  # PS3.3 C.8.8.6.1; points and open lines have no area
SAME_PLANE_MM = 0.05
Points = Float64[np.ndarray, "_ 3"]  # in mm, patient coordinates; polygons differ in their number of points
PIXEL_DECIMALS = 3  # undoes the rounding of coordinates to text: a vertex on a pixel's centre is there again


@dataclass(frozen=True, eq=False)
class Contour:
    """A closed polygon on one slice."""

    slice: int
    offset: float
    """Distance from the slice along the normal, in mm."""
    points: Points


def rtstruct_mask(file: ImageFile, stack: Stack, rule: str | None) -> tuple[Regions, list[Note]]:
    """Mask of one structure set `[slices h w]`, and what to say of it; `rule` as in tumour_regions.

    A contour belongs to the slice at its height along the normal, within a quarter of the slice distance. A pixel
    is marked where its centre lies inside an odd number of a region's contours on that slice, so that a contour
    within another one is a hole; edges count as inside. Regions are united. Nothing is put between contours.
    Raises Unreadable.
    """
    with guarded("has regions or contours that cannot be understood"):
        dataset = pydicom.dcmread(file.path)
        polygons = _polygons(dataset, stack)
        if not polygons:
            raise Unreadable("has no closed contours in the frame of reference of the series")
        chosen, notes = _tumour_rois(dataset, polygons, rule)
    points = [found for number in chosen for found in polygons[number]]
    tilted = sum(not _is_level(found, stack) for found in points)
    placed = [_placed(polygons[number], stack) for number in sorted(chosen)]
    astray = len(points) - tilted - sum(map(len, placed))
    mask = np.any([_drawn(contours, stack) for contours in placed], axis=0)
    return mask, [*notes, *_left_out(tilted, astray, str(file.path))]


def _polygons(dataset: Dataset, stack: Stack) -> dict[int, list[Points]]:
    """Closed contours by region number, of the regions that have some in the frame of reference of the series."""
    spaces = {
        int(item.ROINumber): str(item.get("ReferencedFrameOfReferenceUID") or "")
        for item in dataset.StructureSetROISequence
    }
    found: dict[int, list[Points]] = {}
    for item in dataset.get("ROIContourSequence") or ():
        number = int(item.ReferencedROINumber)
        closed = [_points(contour) for contour in item.get("ContourSequence") or () if _is_area(contour)]
        comparable = not (stack.space and spaces[number]) or spaces[number] == stack.space
        if closed and comparable:
            found[number] = closed
    return found


def _is_area(contour: Dataset) -> bool:
    return contour.get("ContourGeometricType") in AREAS and len(contour.get("ContourData") or ()) >= 9


def _points(contour: Dataset) -> Points:
    points = np.asarray(contour.ContourData, dtype=np.float64).reshape(-1, 3)
    if not np.isfinite(points).all():
        raise Unreadable("has contours with points that are not finite numbers")
    return points


def _tumour_rois(
    dataset: Dataset, polygons: Collection[int], rule: str | None
) -> tuple[set[int], list[Note]]:
    names = {
        int(item.ROINumber): str(item.get("ROIName") or "").strip()
        for item in dataset.StructureSetROISequence
    }
    types = {
        int(item.ReferencedROINumber): str(item.get("RTROIInterpretedType") or "")
        for item in dataset.get("RTROIObservationsSequence") or ()
    }
    return tumour_regions(
        "region",
        "RTSTRUCT",
        {number: names[number] for number in polygons},
        {number: types.get(number, "") for number in polygons},
        rule,
    )


def _is_level(points: Points, stack: Stack) -> bool:
    return bool(np.ptp(points @ stack.normal) <= NEAR * stack.step)


def _placed(polygons: Sequence[Points], stack: Stack) -> list[Contour]:
    """Contours of one region that lie on a slice; where several planes are near one, those of the nearest."""
    near = [contour for points in polygons if (contour := _on_slice(points, stack))]
    nearest: dict[int, float] = {}
    for contour in sorted(near, key=lambda contour: abs(contour.offset)):
        nearest.setdefault(contour.slice, contour.offset)
    return [contour for contour in near if abs(contour.offset - nearest[contour.slice]) <= SAME_PLANE_MM]


def _on_slice(points: Points, stack: Stack) -> Contour | None:
    offsets = (points @ stack.normal).mean() - stack.heights
    index = int(np.argmin(np.abs(offsets)))
    near = abs(offsets[index]) <= NEAR * stack.step and _is_level(points, stack)
    return Contour(index, float(offsets[index]), points) if near else None


def _drawn(contours: Sequence[Contour], stack: Stack) -> Regions:
    mask = np.zeros((len(stack.planes), *stack.planes[0].size), dtype=bool)
    for contour in contours:
        mask[contour.slice] ^= _inside(contour.points, stack.planes[contour.slice])
    return mask


def _inside(points: Points, plane: Plane) -> Region:
    """Whether the centre of each pixel lies in a polygon or on its edge (PS3.3 C.7.6.2.1.1, solved for the pixel)."""
    to_pixels = ReferenceToPixelTransformer(
        plane.position, plane.orientation, plane.spacing, round_output=False
    )
    columns, rows, _ = np.round(to_pixels(points), PIXEL_DECIMALS).T
    mask = np.zeros(plane.size, dtype=bool)
    mask[polygon(rows, columns, plane.size)] = True
    return mask


def _left_out(tilted: int, astray: int, file: str) -> list[Note]:
    sentences = {
        f"{tilted} contours of its RTSTRUCT do not lie in the planes of the series, and are left out; choose the "
        f"series they were drawn on with --series.": tilted,
        f"{astray} contours of its RTSTRUCT lie between the slices of the series or beyond them, and are left "
        f"out.": astray,
    }
    return [Note(text, file=file) for text, count in sentences.items() if count]
