"""Header pass over a folder: which patients and series there are.

PatientID, PatientName, UIDs and dates serve to group and to order, and never leave the reader.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from xaibench.api import Identity
from xaibench.datasets.dicom.headers import frame_value, read_header
from xaibench.datasets.dicom.identity import identity_of
from xaibench.datasets.dicom.modalities import MODALITIES
from xaibench.datasets.dicom.planes import Plane, planes_of
from xaibench.datasets.dicom.words import shown
from xaibench.datasets.files import every_file
from xaibench.datasets.notes import Note
from xaibench.datasets.unreadable import Unreadable, guarded

SEGMENTATION, CONTOURS = "SEG", "RTSTRUCT"
ANNOTATIONS = (SEGMENTATION, CONTOURS)
TABLES = (".csv", ".json")
PICTURES = frozenset(name for name, modality in MODALITIES.items() if not modality.placed)
SIDES = {"L": "left", "R": "right", "B": "bilateral"}
SIZE = ("Rows", "Columns", "BitsAllocated")  # close before the pixels: a header that has them is whole


@dataclass(frozen=True)
class Contrast:
    """What the tags say of the weighting."""

    name: str
    """Acquisition contrast of enhanced MR, such as T2; usually empty."""
    echo_ms: float
    """Echo time; 0 where it is not said."""
    repetition_ms: float
    """Repetition time; 0 where it is not said."""
    echo_planar: bool


@dataclass(frozen=True)
class View:
    """What the tags of a picture say of it."""

    frontal: bool
    """From front to back, or back to front."""
    for_processing: bool
    """Raw data that is not meant for eyes."""
    burned_in: bool
    """Text is burned into its pixels, says the header."""


@dataclass(frozen=True)
class ImageFile:
    """What the header of one file with images, or of an annotation (SEG, RTSTRUCT), says."""

    path: Path
    patient: str
    identity: Identity
    series: str
    modality: str
    description: str
    """Of the series as somebody typed it: may identify, so it is searched by rules and never shown."""
    image_type: tuple[str, ...]
    contrast: Contrast
    view: View
    order: tuple[str, int]
    """Study date and series number: the earlier comes first."""
    space: str
    """Frame of reference: positions are comparable within one."""
    refers_to: frozenset[str]
    """Series that an annotation was drawn on."""
    planes: tuple[Plane, ...]
    fault: str
    """Why there are no planes: a predicate; empty if there are some, or for an annotation."""

    @property
    def shown(self) -> str:
        """What may be shown of the description."""
        return shown(self.description)


@dataclass
class Scan:
    """Everything a folder holds."""

    files: list[ImageFile] = field(default_factory=list)
    others: int = 0
    """Files that are neither DICOM (a DICOMDIR is an index, no image) nor tables."""
    notes: list[Note] = field(default_factory=list)
    """About DICOM files that belong to no patient."""

    def patients(self) -> dict[str, list[ImageFile]]:
        """Files by PatientID, sorted."""
        found: dict[str, list[ImageFile]] = {}
        for file in sorted(self.files, key=lambda file: file.patient):
            found.setdefault(file.patient, []).append(file)
        return found


def scan(root: Path) -> Scan:
    """Read the header of every file below `root`, in the order of their names; linked folders are not followed."""
    found = Scan()
    for path in sorted(every_file(root)):
        try:
            header = read_header(path)
            if header is None:
                found.others += path.suffix.lower() not in TABLES
            elif image := _image_file(path, header):
                found.files.append(image)
        except Unreadable as fault:
            text = f"A DICOM file {fault}; it is left out."
            found.notes.append(Note(text, file=str(path.relative_to(root))))
    return found


def _image_file(path: Path, header: Dataset) -> ImageFile | None:
    """Facts of a file; None if it is none of images (a report, a plan). Raises Unreadable if it is cut short."""
    with guarded("has a header that cannot be understood"):
        patient = str(header.get("PatientID") or "").strip()
        series = str(header.get("SeriesInstanceUID") or "")
        modality = str(header.get("Modality") or "")
        # A file cut short within its modality names no series yet, and is told as damaged below.
        if series and "Rows" not in header and modality not in ("", *MODALITIES, *ANNOTATIONS):
            return None
        if not (patient and series):
            raise Unreadable("names no PatientID or no series, or ends before it does")
        if modality not in ANNOTATIONS and not all(keyword in header for keyword in SIZE):
            raise Unreadable("holds no image: it says no size, or ends before it does")
        planes, fault = _planes_or_fault(path, header, modality)
        return ImageFile(
            path=path,
            patient=patient,
            identity=identity_of(header),
            series=series,
            modality=modality,
            description=_description(header),
            view=_view(header),
            image_type=tuple(map(str, np.atleast_1d(header.get("ImageType") or ()))),
            contrast=_contrast(header),
            order=(str(header.get("StudyDate") or ""), int(header.get("SeriesNumber") or 0)),
            space=_space(header),
            refers_to=frozenset(str(item.get("SeriesInstanceUID")) for item in _drawn_on(header)),
            planes=planes,
            fault=fault,
        )


def _planes_or_fault(path: Path, header: Dataset, modality: str) -> tuple[tuple[Plane, ...], str]:
    if modality in ANNOTATIONS:
        return (), ""
    try:
        return planes_of(path, header), ""
    except Unreadable as fault:
        return (), str(fault)


def _space(header: Dataset) -> str:
    """Frame of reference; a structure set names it, or several, in a sequence of its own."""
    named = {str(item.get("FrameOfReferenceUID")) for item in _spaces(header)}
    return str(header.get("FrameOfReferenceUID") or (named.pop() if len(named) == 1 else ""))


def _drawn_on(header: Dataset) -> Iterator[Dataset]:
    """Series that a segmentation refers to at once, and a structure set by space and study (PS3.3 C.8.8.5)."""
    yield from header.get("ReferencedSeriesSequence") or ()
    for space in _spaces(header):
        for study in space.get("RTReferencedStudySequence") or ():
            yield from study.get("RTReferencedSeriesSequence") or ()


def _spaces(header: Dataset) -> Sequence[Dataset]:
    return header.get("ReferencedFrameOfReferenceSequence") or ()


def _contrast(header: Dataset) -> Contrast:
    echo = frame_value(header, 0, "MREchoSequence", "EffectiveEchoTime") or header.get("EchoTime")
    repetition = frame_value(header, 0, "MRTimingAndRelatedParametersSequence", "RepetitionTime")
    return Contrast(
        name=str(header.get("AcquisitionContrast") or ""),
        echo_ms=float(echo or 0),
        repetition_ms=float(repetition or 0),
        echo_planar=bool("EP" in np.atleast_1d(header.get("ScanningSequence") or ())),
    )


def _view(header: Dataset) -> View:
    return View(
        frontal=str(header.get("ViewPosition") or "").upper() in ("PA", "AP"),
        for_processing=str(header.get("PresentationIntentType") or "") == "FOR PROCESSING",
        burned_in=str(header.get("BurnedInAnnotation") or "") == "YES",
    )


def _description(header: Dataset) -> str:
    """Description of the series; of a picture, with its side and view: two breasts are one series."""
    typed = str(header.get("SeriesDescription") or header.get("ProtocolName") or "")
    if str(header.get("Modality")) not in PICTURES:
        return typed
    side = str(header.get("ImageLaterality") or header.get("Laterality") or "")
    codes = header.get("ViewCodeSequence") or [Dataset()]
    view = str(header.get("ViewPosition") or codes[0].get("CodeMeaning") or "")
    return " ".join(filter(None, (typed, SIDES.get(side, ""), view)))
