"""Masks of a series from a DICOM segmentation (SEG), frame by frame to the slice each was drawn on."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool
from pydicom.dataset import Dataset

from xaibench.api import Regions
from xaibench.datasets.dicom.headers import frame_value, numbers
from xaibench.datasets.dicom.pixels import decode
from xaibench.datasets.dicom.rois import tumour_regions
from xaibench.datasets.dicom.scan import ImageFile
from xaibench.datasets.dicom.series import NEAR, SAME_COSINE, Stack
from xaibench.datasets.notes import Note
from xaibench.datasets.unreadable import Unreadable, guarded


class WrongSize(Unreadable):
    """A mask of another size than its slice; the message is a sentence, `case` what it is about."""

    def __init__(self, case: str, text: str) -> None:
        super().__init__(text)
        self.case = case


@dataclass(frozen=True)
class SegFrame:
    """One frame of a segmentation that marks tumour."""

    mask: Bool[np.ndarray, "fh fw"]
    position: tuple[float, ...] | None
    """Centre of its first pixel in mm; None where it may not be compared with the series."""
    orientation: tuple[float, ...] | None
    sources: frozenset[tuple[str, int]]
    """SOP instance and frame of the images it was drawn on."""


def seg_mask(file: ImageFile, stack: Stack, patient: str, rule: str | None) -> tuple[Regions, list[Note]]:
    """Mask of one segmentation `[slices h w]`, and what to say of it; `rule` as in tumour_regions.

    Raises Unreadable, or WrongSize where a frame has not the size of its slice.
    """
    dataset, frames, _ = decode(file.path)
    mask = np.zeros((len(stack.planes), *stack.planes[0].size), dtype=bool)
    with guarded("has segments or positions that cannot be understood"):
        chosen, notes = _tumour_segments(dataset, rule)
        astray = 0
        for frame in _frames(dataset, frames, chosen, stack):
            index = _slice_of(frame, stack, patient)
            if index is None:
                astray += 1
            else:
                mask[index] |= frame.mask
    if astray:
        text = f"frames of its SEG that lie on no slice of the series: {astray}; they are left out."
        notes.append(Note(text, file=str(file.path)))
    return mask, notes


def _tumour_segments(dataset: Dataset, rule: str | None) -> tuple[set[int], list[Note]]:
    segments = {int(item.SegmentNumber): item for item in dataset.SegmentSequence}
    labels = {number: str(item.get("SegmentLabel") or "").strip() for number, item in segments.items()}
    types = {number: _property_type(item) for number, item in segments.items()}
    return tumour_regions("segment", "SEG", labels, types, rule)


def _frames(dataset: Dataset, frames: np.ndarray, chosen: set[int], stack: Stack) -> Iterator[SegFrame]:
    """Frames of the chosen segments that mark at least a pixel."""
    marked = _marked(dataset, frames[..., 0])
    comparable = not stack.space or str(dataset.get("FrameOfReferenceUID") or stack.space) == stack.space
    for index, mask in enumerate(marked):
        number = frame_value(dataset, index, "SegmentIdentificationSequence", "ReferencedSegmentNumber")
        if int(number) not in chosen or not mask.any():
            continue
        position = frame_value(dataset, index, "PlanePositionSequence", "ImagePositionPatient")
        orientation = frame_value(dataset, index, "PlaneOrientationSequence", "ImageOrientationPatient")
        placed = comparable and position is not None and orientation is not None
        yield SegFrame(
            mask=mask,
            position=numbers(position, 3) if placed else None,
            orientation=numbers(orientation, 6) if placed else None,
            sources=frozenset(_sources(dataset, index)),
        )


def _marked(dataset: Dataset, frames: np.ndarray) -> Bool[np.ndarray, "frames fh fw"]:
    """Where a frame marks its segment; a fraction does from one half on (PS3.3 C.8.20.2)."""
    kind = str(dataset.SegmentationType)
    if kind == "BINARY":
        return frames > 0
    if kind == "FRACTIONAL":
        return frames >= 0.5 * float(dataset.MaximumFractionalValue)
    raise Unreadable("is neither a BINARY nor a FRACTIONAL SEG; convert it")


def _sources(dataset: Dataset, index: int) -> Iterator[tuple[str, int]]:
    for image in frame_value(dataset, index, "DerivationImageSequence", "SourceImageSequence") or ():
        for number in np.atleast_1d(image.get("ReferencedFrameNumber") or 1):
            yield str(image.ReferencedSOPInstanceUID), int(number) - 1


def _slice_of(frame: SegFrame, stack: Stack, patient: str) -> int | None:
    """Index of the slice that a frame lies on: by its position, or by its source images where it has none."""
    named = [(plane.instance, plane.frame) in frame.sources for plane in stack.planes]
    if frame.position is None:
        index, near = int(np.argmax(named)), sum(named) == 1
    else:
        index, near = _nearest(frame.position, stack)
    if frame.mask.shape != stack.planes[index].size:
        mask, image = (f"{h}x{w}" for h, w in (frame.mask.shape, stack.planes[index].size))
        raise WrongSize(
            f"Case {patient}/slice {index}",
            f"mask is {mask} but the image is {image}; resample the SEG to the series, or drop the mask. "
            f"The patient is read without it.",
        )
    if frame.orientation is not None and not np.allclose(
        frame.orientation, stack.planes[0].orientation, atol=10 * SAME_COSINE
    ):
        raise Unreadable("is not drawn along the rows and columns of the series; resample it to the series")
    return index if near else None


def _nearest(position: tuple[float, ...], stack: Stack) -> tuple[int, bool]:
    """Slice nearest to a position along the normal, and whether it coincides with it.

    It does within a quarter of the slice distance along the normal and half a pixel across it.
    """
    offsets = np.array(position) - np.array([plane.position for plane in stack.planes])
    rows, columns = np.array(stack.planes[0].orientation).reshape(2, 3)
    along = np.abs(offsets @ stack.normal)
    index = int(np.argmin(along))
    across = max(abs(offsets[index] @ rows), abs(offsets[index] @ columns))
    near = along[index] <= NEAR * stack.step and across <= 0.5 * max(stack.planes[0].spacing)
    return index, bool(near)


def _property_type(segment: Dataset) -> str:
    types = segment.get("SegmentedPropertyTypeCodeSequence") or ()
    return " ".join(str(item.get("CodeMeaning") or "") for item in types)
