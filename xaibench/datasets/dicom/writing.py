"""Writes an MR series and its segmentation as DICOM, with the same bytes on every run."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import highdicom as hd
import numpy as np
from jaxtyping import UInt16
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage, generate_uid

from xaibench.api import Regions

DATE, TIME = "20200101", "120000"
IMPLEMENTATION = generate_uid(entropy_srcs=["xaibench"])
MAKER = "xaibench"
FINDING = (codes.SCT.MorphologicallyAbnormalStructure, codes.SCT.Neoplasm)
OBJECT = (codes.SCT.PhysicalObject, codes.SCT.Prosthesis)

FIXED = {
    "SpecificCharacterSet": "ISO_IR 192",
    "ImageType": ["ORIGINAL", "PRIMARY", "M", "SE"],
    "SOPClassUID": MRImageStorage,
    "StudyDate": DATE,
    "SeriesDate": DATE,
    "AcquisitionDate": DATE,
    "ContentDate": DATE,
    "StudyTime": TIME,
    "SeriesTime": TIME,
    "AcquisitionTime": TIME,
    "ContentTime": TIME,
    "AccessionNumber": "",
    "Modality": "MR",
    "Manufacturer": MAKER,
    "ManufacturerModelName": "phantom",
    "SoftwareVersions": "1",
    "DeviceSerialNumber": "0",
    "ReferringPhysicianName": "",
    "StudyID": "1",
    "StudyDescription": "MR PELVIS (SYNTHETIC)",
    "SeriesNumber": 4,
    "SeriesDescription": "AX T2 TSE",
    "ProtocolName": "AX T2 TSE",
    "PatientBirthDate": "",
    "PatientSex": "F",
    "PatientIdentityRemoved": "YES",
    "DeidentificationMethod": "SYNTHETIC",
    "BodyPartExamined": "PELVIS",
    "PatientPosition": "HFS",
    "ScanningSequence": "SE",
    "SequenceVariant": "SK",
    "ScanOptions": "",
    "MRAcquisitionType": "2D",
    "MagneticFieldStrength": "1.5",
    "EchoTrainLength": 16,
    "NumberOfAverages": "2",
    "FlipAngle": "150",
    "InPlanePhaseEncodingDirection": "ROW",
    "SliceThickness": "5",
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
    "PositionReferenceIndicator": "",
    "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2",
    "BitsAllocated": 16,
    "BitsStored": 12,
    "HighBit": 11,
    "PixelRepresentation": 0,
    "RescaleIntercept": "0",
    "RescaleType": "US",
}


@dataclass(frozen=True, eq=False)
class Series:
    """An axial MR series to be written, in order from the feet."""

    patient: str
    """PatientID."""
    issuer: str
    """IssuerOfPatientID."""
    age: int
    echo_ms: int
    repetition_ms: int
    stored: UInt16[np.ndarray, "n h w"]
    slope: float
    spacing_mm: float
    levels_mm: Sequence[float]

    def uid(self, *names: object) -> UID:
        """UID of a thing of this series: the same for the same pixels and name, so that runs write equal bytes."""
        pixels = hashlib.sha256(self.stored.tobytes()).hexdigest()
        return generate_uid(entropy_srcs=[MAKER, self.patient, pixels, *map(str, names)])


def write_series(folder: Path, series: Series) -> list[Dataset]:
    """Write one file a slice into a folder, and return what was written.

    Neither file names nor instance numbers follow the slices: names are digests, as archives give them, and
    numbers run from the head downwards, so that a reader who orders by either is found out.
    """
    folder.mkdir(parents=True)
    uids = {name: series.uid(name) for name in ("study", "series", "frame of reference")}
    slices = [slice_dataset(series, index, uids) for index in range(len(series.stored))]
    for dataset in slices:
        name = hashlib.sha256(dataset.SOPInstanceUID.encode()).hexdigest()[:12]
        dataset.save_as(folder / f"{name}.dcm", enforce_file_format=True)
    return slices


def slice_dataset(series: Series, index: int, uids: Mapping[str, UID]) -> Dataset:
    """Return one slice as an MR Image Storage object."""
    dataset = Dataset()
    for keyword, value in FIXED.items():
        setattr(dataset, keyword, value)
    count, rows, columns = series.stored.shape
    corner = -series.spacing_mm * (np.array([columns, rows]) - 1) / 2
    varying = {
        "SOPInstanceUID": series.uid("slice", index),
        "StudyInstanceUID": uids["study"],
        "SeriesInstanceUID": uids["series"],
        "FrameOfReferenceUID": uids["frame of reference"],
        "PatientID": series.patient,
        "IssuerOfPatientID": series.issuer,
        "PatientName": series.patient.replace("-", "^"),
        "PatientAge": f"{series.age:03d}Y",
        "EchoTime": str(series.echo_ms),
        "RepetitionTime": str(series.repetition_ms),
        "SpacingBetweenSlices": f"{series.levels_mm[1] - series.levels_mm[0]:.4g}",
        "InstanceNumber": count - index,
        "ImagePositionPatient": [f"{value:.4f}" for value in (*corner, series.levels_mm[index])],
        "SliceLocation": f"{series.levels_mm[index]:.4f}",
        "PixelSpacing": [f"{series.spacing_mm:.4f}"] * 2,
        "Rows": rows,
        "Columns": columns,
        "WindowCenter": f"{1300 * series.slope:.6g}",
        "WindowWidth": f"{2600 * series.slope:.6g}",
        "RescaleSlope": f"{series.slope:.6g}",
    }
    for keyword, value in varying.items():
        setattr(dataset, keyword, value)
    dataset.PixelData = series.stored[index].astype("<u2").tobytes()
    dataset.file_meta = file_meta(dataset)
    return dataset


def file_meta(dataset: Dataset) -> FileMetaDataset:
    """File meta information without the version of the writing library."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION
    meta.ImplementationVersionName = "XAIBENCH_1"
    return meta


def write_segmentation(
    path: Path,
    series: Series,
    slices: Sequence[Dataset],
    segments: Sequence[tuple[str, tuple[Code, Code], Regions]],
) -> None:
    """Write a BINARY SEG of the series; a segment is its label, its category and type, and its masks `[n h w]`."""
    uid = series.uid("segmentation")
    segmentation = hd.seg.Segmentation(
        source_images=list(slices),
        pixel_array=np.stack([masks for _, _, masks in segments], axis=-1).astype(np.uint8),
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[
            hd.seg.SegmentDescription(number, label, *code, hd.seg.SegmentAlgorithmTypeValues.MANUAL)
            for number, (label, code, _) in enumerate(segments, start=1)
        ],
        series_instance_uid=series.uid("segmentation series"),
        series_number=100,
        sop_instance_uid=uid,
        instance_number=1,
        manufacturer=MAKER,
        manufacturer_model_name="phantom",
        software_versions="1",
        device_serial_number="0",
        content_label="SEGMENTATION",
        series_description="SEG OF AX T2 TSE",
        series_date=DATE,
        series_time=TIME,
        content_date=DATE,
        content_time=TIME,
    )
    fix(segmentation, series)
    segmentation.save_as(path, enforce_file_format=True)


def fix(segmentation: hd.seg.Segmentation, series: Series) -> None:
    """Replace what highdicom takes from the clock, from chance and from its own version."""
    segmentation.InstanceCreationDate = DATE
    segmentation.InstanceCreationTime = TIME
    segmentation.file_meta = file_meta(segmentation)
    if "ContributingEquipmentSequence" in segmentation:
        del segmentation.ContributingEquipmentSequence
    dimensions = series.uid("dimensions")
    for item in (*segmentation.DimensionOrganizationSequence, *segmentation.DimensionIndexSequence):
        item.DimensionOrganizationUID = dimensions
