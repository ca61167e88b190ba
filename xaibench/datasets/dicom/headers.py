"""Headers of DICOM files, read safely."""

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
ViewPosition ViewCodeSequence ImageLaterality Laterality PresentationIntentType ImagerPixelSpacing
NominalScannedPixelSpacing SequenceOfUltrasoundRegions BurnedInAnnotation
SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence
ReferencedFrameOfReferenceSequence
"""


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
