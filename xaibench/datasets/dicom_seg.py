"""Masks of a series from its DICOM segmentations (SEG), frame by frame to the slice each was drawn on."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool
from pydicom.dataset import Dataset

from xaibench.datasets.check import Note
from xaibench.datasets.dicom_headers import Unreadable, frame_value, guarded, numbers
from xaibench.datasets.dicom_pixels import decode
from xaibench.datasets.dicom_scan import SEGMENTATION, ImageFile
from xaibench.datasets.dicom_series import SAME_COSINE, Stack
from xaibench.harness.types import Regions

TUMOUR = re.compile(r"tumou?r|neoplas|lesion|\bgtv|\bmass\b|cancer|carcinoma", re.IGNORECASE)


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


def read_masks(files: Sequence[ImageFile], stack: Stack, patient: str) -> tuple[Regions | None, list[Note]]:
    """Mask of each slice `[slices h w]`, or None; and what to say of each segmentation.

    Segmentations that name the series are used, all together; if none does, those in the same frame of reference.
    """
    drawn = [file for file in files if file.modality == SEGMENTATION]
    used = [file for file in drawn if stack.series in file.refers_to]
    used = used or [file for file in drawn if file.space and file.space == stack.space]
    notes = []
    if len(drawn) > len(used):
        text = f"{len(drawn) - len(used)} SEG belong to other series and are left out."
        notes.append(Note(text, problem=False))
    mask = np.zeros((len(stack.planes), *stack.planes[0].size), dtype=bool)
    read = 0
    for file in used:
        try:
            added, said = _mask(file, stack, patient)
            mask |= added
            read += 1
        except WrongSize as fault:
            said = [Note(str(fault), fault.case, str(file.path))]
        except Unreadable as fault:
            said = [Note(f"a SEG {fault}; it is left out.", file=str(file.path))]
        notes += said
    if read > 1:
        notes.append(Note(f"the mask is the union of {read} SEG.", problem=False))
    if read and not mask.any():
        notes.append(Note("its SEG marks no pixel of the series, so it counts as not annotated."))
    return (mask if mask.any() else None), notes


def tumour_segments(dataset: Dataset) -> tuple[set[int], list[Note]]:
    """Numbers of the segments that mark tumour, by label, else by property type, else the only one there is.

    Raises Unreadable if several are there and none says that it is tumour.
    """
    labels = {
        int(item.SegmentNumber): str(item.get("SegmentLabel") or "") for item in dataset.SegmentSequence
    }
    types = {int(item.SegmentNumber): _property_type(item) for item in dataset.SegmentSequence}
    for texts in (labels, types):
        matching = {number for number, text in texts.items() if TUMOUR.search(text)}
        if matching:
            return matching, []
    shown = ", ".join(repr(label) for label in labels.values())
    if len(labels) != 1:
        raise Unreadable(f"has the segments {shown or 'none'}, and none is called tumour, lesion or the like")
    return set(labels), [
        Note(f"the only segment of its SEG, {shown}, is taken for the tumour.", problem=False)
    ]


def _mask(file: ImageFile, stack: Stack, patient: str) -> tuple[Regions, list[Note]]:
    """Mask of one segmentation. Raises Unreadable."""
    dataset, frames, _ = decode(file.path)
    mask = np.zeros((len(stack.planes), *stack.planes[0].size), dtype=bool)
    with guarded("has segments or positions that cannot be understood"):
        chosen, notes = tumour_segments(dataset)
        astray = 0
        for frame in _frames(dataset, frames, chosen, stack):
            index = _slice_of(frame, stack, patient)
            if index is None:
                astray += 1
            else:
                mask[index] |= frame.mask
    if astray:
        text = f"{astray} frames of its SEG lie on no slice of the series, and are left out."
        notes.append(Note(text, file=str(file.path)))
    return mask, notes


def _frames(dataset: Dataset, frames: np.ndarray, chosen: set[int], stack: Stack) -> Iterator[SegFrame]:
    """Frames of the chosen segments that mark at least a pixel."""
    marked = _marked(dataset, frames)
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
    along = np.abs(offsets @ np.cross(rows, columns))
    index = int(np.argmin(along))
    across = max(abs(offsets[index] @ rows), abs(offsets[index] @ columns))
    near = along[index] <= 0.25 * stack.step and across <= 0.5 * max(stack.planes[0].spacing)
    return index, bool(near)


def _property_type(segment: Dataset) -> str:
    types = segment.get("SegmentedPropertyTypeCodeSequence") or ()
    return " ".join(str(item.get("CodeMeaning") or "") for item in types)
