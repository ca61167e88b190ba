"""Small DICOM files that the tests write: MR series in any encoding, and segmentations of them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage, generate_uid

from xaibench.datasets.dicom.folder import DicomFolder

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
OBLIQUE = (1.0, 0.0, 0.0, 0.0, 0.8, 0.6)  # axial, tilted by 37 degrees


@dataclass
class Series:
    """An MR series as a test wants it; `tags` overrides or, with None, removes elements of every slice."""

    patient: str = "SECRET-42"
    description: str = "AX T2 TSE"
    orientation: tuple[float, ...] = AXIAL
    step: float = 4.0
    uid: str = ""
    space: str = ""
    syntax: UID = ExplicitVRLittleEndian
    tags: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.uid = self.uid or uid("series", self.patient, self.description, self.orientation)
        self.space = self.space or uid("space", self.patient)


def uid(*parts: object) -> str:
    """UID that is the same in every run."""
    return generate_uid(entropy_srcs=[str(part) for part in parts])


def pixels(slices: int = 5, rows: int = 40, columns: int = 36, bits: int = 12, seed: int = 0) -> np.ndarray:
    """Stored values that differ from slice to slice and are not symmetric: [slices rows columns]."""
    draw = np.random.default_rng(seed).integers(0, 2**bits, (slices, rows, columns))
    return draw.astype(np.uint8 if bits <= 8 else np.uint16)


def mr_slice(series: Series, stored: np.ndarray, index: int) -> FileDataset:
    """One classic MR image, `index` steps along the normal."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = uid(series.uid, index, stored.tobytes().hex())
    made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    normal = np.cross(series.orientation[:3], series.orientation[3:])
    values = {
        "SOPClassUID": MRImageStorage,
        "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
        "ImageType": ["ORIGINAL", "PRIMARY", "M"],
        "Modality": "MR",
        "StudyDate": "19991231",
        "StudyTime": "",
        "AccessionNumber": "",
        "ReferringPhysicianName": "",
        "StudyID": "1",
        "Manufacturer": "",
        "SeriesDescription": series.description,
        "PatientName": "Doe^Jane",
        "PatientID": series.patient,
        "PatientBirthDate": "",
        "PatientSex": "F",
        "StudyInstanceUID": uid("study", series.patient),
        "SeriesInstanceUID": series.uid,
        "SeriesNumber": 3,
        "InstanceNumber": index + 1,
        "FrameOfReferenceUID": series.space,
        "PositionReferenceIndicator": "",
        "ImagePositionPatient": [
            round(float(v), 6) for v in (-5.0, -7.0, -30.0) + normal * series.step * index
        ],
        "ImageOrientationPatient": list(series.orientation),
        "SliceThickness": 3.0,
        "PixelSpacing": [0.75, 0.5],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": stored.shape[0],
        "Columns": stored.shape[1],
        "BitsAllocated": 8 * stored.itemsize,
        "BitsStored": 8 * stored.itemsize,
        "HighBit": 8 * stored.itemsize - 1,
        "PixelRepresentation": int(stored.dtype.kind == "i"),
    }
    for keyword, value in (values | series.tags).items():
        if value is not None:
            setattr(made, keyword, value)
    made["PixelData"] = pydicom.DataElement(
        "PixelData", "OB" if stored.itemsize == 1 else "OW", stored.tobytes()
    )
    return made


def save(made: FileDataset, path: Path, syntax: UID = ExplicitVRLittleEndian) -> Path:
    """Write a dataset in a transfer syntax; compressed ones are encoded by pydicom."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if syntax.is_compressed and not syntax.is_deflated:
        made.compress(syntax, generate_instance_uid=False)
    elif not syntax.is_little_endian:
        made["PixelData"].value = np.frombuffer(made.PixelData, "<u2").byteswap().tobytes()
    made.file_meta.TransferSyntaxUID = syntax
    encoding = {"implicit_vr": syntax.is_implicit_VR, "little_endian": syntax.is_little_endian}
    pydicom.dcmwrite(path, made, force_encoding=True, **encoding)
    return path


def write_series(
    folder: Path, stored: np.ndarray, series: Series | None = None, names: list[str] | None = None
) -> list[FileDataset]:
    """Write a series, slice i to `names[i]`; returns its datasets (uncompressed) in order of position."""
    series = series or Series()
    names = names or [f"{index:03d}.dcm" for index in range(len(stored))]
    made = [mr_slice(series, values, index) for index, values in enumerate(stored)]
    for dataset, name in zip(made, names, strict=True):
        save(dataset, folder / name, series.syntax)
    return made


def write_labels(root: Path, text: str = "patient,label\nSECRET-42,1\n") -> Path:
    root.mkdir(parents=True, exist_ok=True)
    path = root / "labels.csv"
    path.write_text(text)
    return path


def segment(number: int, label: str) -> hd.seg.SegmentDescription:
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=label,
        segmented_property_category=codes.SCT.Tissue,
        segmented_property_type=codes.SCT.Tissue,
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
    )


def write_seg(
    path: Path,
    sources: list[FileDataset],
    masks: np.ndarray,
    labels: tuple[str, ...] = ("Tumor",),
    kind: str = "BINARY",
) -> hd.seg.Segmentation:
    """Write a SEG of `masks` [slices h w] or [slices h w segments], drawn on the given slices."""
    made = hd.seg.Segmentation(
        source_images=sources,
        pixel_array=masks,
        segmentation_type=kind,
        segment_descriptions=[segment(number, label) for number, label in enumerate(labels, start=1)],
        series_instance_uid=uid(path),
        series_number=9,
        sop_instance_uid=uid(path, "SEG"),
        instance_number=1,
        manufacturer="test",
        manufacturer_model_name="test",
        software_versions="1",
        device_serial_number="1",
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save_as(path)
    return made


def enhanced(source: FileDataset, positions: list[float], patient: str = "SECRET-42") -> FileDataset:
    """Give a real multi-frame file, whose functional groups were removed, an axial geometry: heights in mm."""
    source.PatientID = patient
    source.SeriesDescription = "AX T2 3D"
    shared, orientation, measures = Dataset(), Dataset(), Dataset()
    orientation.ImageOrientationPatient = list(AXIAL)
    measures.PixelSpacing = [0.9, 0.8]
    shared.PlaneOrientationSequence = Sequence([orientation])
    shared.PixelMeasuresSequence = Sequence([measures])
    source.SharedFunctionalGroupsSequence = Sequence([shared])
    source.PerFrameFunctionalGroupsSequence = Sequence(
        [_frame(height, slope) for slope, height in enumerate(positions, 1)]
    )
    return source


def _frame(height: float, slope: int) -> Dataset:
    frame, position, rescale = Dataset(), Dataset(), Dataset()
    position.ImagePositionPatient = [0.0, 0.0, height]
    rescale.RescaleSlope, rescale.RescaleIntercept = slope, -1
    frame.PlanePositionSequence = Sequence([position])
    frame.PixelValueTransformationSequence = Sequence([rescale])
    return frame


def read_masks(root, **options):
    """Masks of the only patient of a folder, and the notes of its reader."""
    folder = DicomFolder(root, **options)
    (volume,) = folder.volumes()
    return volume.regions, folder.notes()
