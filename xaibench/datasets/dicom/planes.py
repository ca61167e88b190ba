"""Where each frame of a file lies, how large its pixels are, and how they become intensities."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from xaibench.datasets.dicom.headers import frame_value, numbers
from xaibench.datasets.dicom.modalities import MODALITIES
from xaibench.datasets.unreadable import Unreadable, guarded

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
COLOURS = ("RGB", "YBR", "PALETTE")
CENTIMETRES = 3  # unit of an ultrasound region (PS3.3 C.8.5.5.1.15)


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
    placed: bool = True
    """False for a picture: its position and orientation are made up."""
    measured: bool = True
    """False where the file does not say how large a pixel is."""

    @property
    def spacing_mm(self) -> tuple[float, float] | None:
        """Distance of the rows and of the columns; None where the file does not say it."""
        return self.spacing if self.measured else None


def planes_of(path: Path, header: Dataset) -> tuple[Plane, ...]:
    """Planes of an image file, one a frame. Raises Unreadable where its modality asks for what it does not say."""
    modality = str(header.get("Modality") or "")
    with guarded("has a geometry that cannot be understood"):
        if modality in MODALITIES and not MODALITIES[modality].placed:
            return (_picture(path, header),)
        colour = str(header.get("PhotometricInterpretation") or "")
        if header.get("SamplesPerPixel", 1) != 1 or not colour.startswith("MONOCHROME"):
            raise Unreadable("is in colour, and only greyscale is read of slices")
        count = int(header.get("NumberOfFrames") or 1)
        if count > 1 and len(header.get("PerFrameFunctionalGroupsSequence") or ()) != count:
            raise Unreadable("holds several frames and does not say the position of each")
        return tuple(_plane(path, header, frame) for frame in range(count))


def _picture(path: Path, header: Dataset) -> Plane:
    """Plane of a picture, which lies nowhere: a projection, an ultrasound image, a photograph."""
    count = int(header.get("NumberOfFrames") or 1)
    if count > 1:
        raise Unreadable(f"is a film of {count} frames, and single pictures are read; save one of them")
    colour = str(header.get("PhotometricInterpretation") or "")
    if not colour.startswith(("MONOCHROME", *COLOURS)):
        raise Unreadable("does not say whether it is grey or in colour")
    known = [spacing for spacing in _pixel_sizes(header) if min(spacing) > 0]
    return Plane(
        file=path,
        frame=0,
        instance=str(header.get("SOPInstanceUID") or ""),
        size=(int(header.Rows), int(header.Columns)),
        position=(0.0, 0.0, 0.0),
        orientation=AXIAL,
        spacing=known[0] if known else (1.0, 1.0),
        rescale=(float(header.get("RescaleSlope") or 1), float(header.get("RescaleIntercept") or 0)),
        placed=False,
        measured=bool(known),
    )


def _pixel_sizes(header: Dataset) -> Iterator[tuple[float, float]]:
    """Yield what a header says of the size of its pixels in mm, what is true in the patient first."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"):
        if header.get(keyword):
            rows, columns = numbers(header.get(keyword), 2)
            yield rows, columns
    regions = list(header.get("SequenceOfUltrasoundRegions") or [])
    if len(regions) == 1 and regions[0].get("PhysicalUnitsXDirection") == CENTIMETRES:
        yield 10 * abs(float(regions[0].PhysicalDeltaY)), 10 * abs(float(regions[0].PhysicalDeltaX))


def _plane(path: Path, header: Dataset, frame: int) -> Plane:
    orientation = numbers(
        frame_value(header, frame, "PlaneOrientationSequence", "ImageOrientationPatient"), 6
    )
    spacing = numbers(frame_value(header, frame, "PixelMeasuresSequence", "PixelSpacing"), 2)
    rows, columns = np.array(orientation).reshape(2, 3)
    if abs(rows @ rows - 1) + abs(columns @ columns - 1) + abs(rows @ columns) > 0.02 or min(spacing) <= 0:
        raise Unreadable("says an impossible orientation or pixel spacing")
    slope = frame_value(header, frame, "PixelValueTransformationSequence", "RescaleSlope")
    if slope is None and header.get("Modality") == "CT":
        raise Unreadable("does not say how its values become Hounsfield units")
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
