"""Headers of DICOM files: read safely, and the geometry of every frame they describe."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from xaibench.datasets.unreadable import Unreadable, guarded

MAGIC = slice(128, 132)  # PS3.10 section 7.1: a preamble of 128 bytes, then DICM
TAGS = """
SOPClassUID SOPInstanceUID Modality ImageType SeriesDescription ProtocolName PatientID StudyDate
IssuerOfPatientID StudyInstanceUID
SeriesInstanceUID SeriesNumber FrameOfReferenceUID ScanningSequence EchoTime RepetitionTime AcquisitionContrast
Rows Columns BitsAllocated SamplesPerPixel PhotometricInterpretation NumberOfFrames ImagePositionPatient
ImageOrientationPatient PixelSpacing RescaleSlope RescaleIntercept ReferencedSeriesSequence
SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence
ReferencedFrameOfReferenceSequence
"""


@dataclass(frozen=True)
class Plane:
    """One frame of a file: where it lies, and how its stored values become intensities."""

    file: Path
    frame: int
    """Index in the file, from 0."""
    instance: str
    size: tuple[int, int]
    """Rows and columns."""
    position: tuple[float, ...]
    """Centre of the first pixel in mm, patient coordinates (PS3.3 C.7.6.2.1.1)."""
    orientation: tuple[float, ...]
    """Direction in which a row runs, then that in which a column runs: six cosines."""
    spacing: tuple[float, float]
    """Distance of the rows and of the columns, in mm."""
    rescale: tuple[float, float]
    """Slope and intercept."""


def is_dicom(path: Path) -> bool:
    """Whether a file says that it is DICOM. Raises OSError where it may not be read."""
    with path.open("rb") as file:
        return file.read(MAGIC.stop)[MAGIC] == b"DICM"


def read_header(path: Path) -> Dataset | None:
    """Return the elements in TAGS; None if the file is no DICOM, or a DICOMDIR. Raises Unreadable."""
    with guarded("cannot be read (its header is damaged, or the file may not be opened)"):
        if not is_dicom(path):
            return None
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=TAGS.split())
        directory = (
            header.file_meta.get("MediaStorageSOPClassUID") == pydicom.uid.MediaStorageDirectoryStorage
        )
        return None if directory else header


def frame_value(header: Dataset, frame: int, group: str, keyword: str) -> Any:
    """Return a value of one frame: from its own functional group, the shared ones, or the top of the header."""
    frames = header.get("PerFrameFunctionalGroupsSequence") or []
    shared = header.get("SharedFunctionalGroupsSequence") or []
    for holder in (*frames[frame : frame + 1], *shared[:1]):
        for item in (holder.get(group) or [])[:1]:
            if item.get(keyword) is not None:
                return item.get(keyword)
    return header.get(keyword)


def numbers(value: Any, count: int) -> tuple[float, ...]:
    """Return `count` finite numbers; raises Unreadable where there are not as many."""
    found = np.atleast_1d(np.asarray([] if value is None else value, dtype=float))
    if len(found) != count or not np.isfinite(found).all():
        raise Unreadable("does not say the position, orientation and pixel spacing of its slices")
    return tuple(found.tolist())


def planes_of(path: Path, header: Dataset) -> tuple[Plane, ...]:
    """Planes of an image file, one a frame. Raises Unreadable where they have no place, or are in colour."""
    with guarded("has a geometry that cannot be understood"):
        colour = str(header.get("PhotometricInterpretation") or "")
        if header.get("SamplesPerPixel", 1) != 1 or not colour.startswith("MONOCHROME"):
            raise Unreadable("is in colour, and only greyscale MR is read")
        count = int(header.get("NumberOfFrames") or 1)
        if count > 1 and len(header.get("PerFrameFunctionalGroupsSequence") or ()) != count:
            raise Unreadable("holds several frames and does not say the position of each")
        return tuple(_plane(path, header, frame) for frame in range(count))


def _plane(path: Path, header: Dataset, frame: int) -> Plane:
    orientation = numbers(
        frame_value(header, frame, "PlaneOrientationSequence", "ImageOrientationPatient"), 6
    )
    spacing = numbers(frame_value(header, frame, "PixelMeasuresSequence", "PixelSpacing"), 2)
    rows, columns = np.array(orientation).reshape(2, 3)
    if abs(rows @ rows - 1) + abs(columns @ columns - 1) + abs(rows @ columns) > 0.02 or min(spacing) <= 0:
        raise Unreadable("says an impossible orientation or pixel spacing")
    slope = frame_value(header, frame, "PixelValueTransformationSequence", "RescaleSlope")
    intercept = frame_value(header, frame, "PixelValueTransformationSequence", "RescaleIntercept")
    return Plane(
        file=path,
        frame=frame,
        instance=str(header.get("SOPInstanceUID") or ""),
        size=(int(header.Rows), int(header.Columns)),
        position=numbers(frame_value(header, frame, "PlanePositionSequence", "ImagePositionPatient"), 3),
        orientation=orientation,
        spacing=(spacing[0], spacing[1]),
        rescale=(1.0 if slope is None else float(slope), float(intercept or 0)),
    )
