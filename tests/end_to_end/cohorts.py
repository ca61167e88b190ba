"""Small cohorts of every kind that is read: two patients of two classes, a bright square annotated in each."""

from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
from PIL import Image

from tests.datasets.dicom_files import Series, mr_slice, save, write_seg, write_series

SIZE = (24, 20)
SQUARE = np.zeros(SIZE, bool)
SQUARE[6:14, 5:12] = True
SECRETS = ("Doe", "SECRET", "19991231")


def grey(patient: int, slices: int = 1, low: float = 0, high: float = 255) -> np.ndarray:
    """Images `[slices h w]` of noise; the square is bright in the patient of odd number, dark in the other."""
    noise = np.random.default_rng(patient).random((slices, *SIZE)) * 0.2
    noise[:, SQUARE] += 0.8 if patient % 2 else 0.3
    return low + noise * (high - low)


def brightness(images: np.ndarray) -> np.ndarray:
    """A classifier of images scaled to 0 .. 1: probability of the second class by the mean inside the square."""
    inside = images.mean(axis=-1)[:, SQUARE].mean(axis=1)
    p = 1 / (1 + np.exp(-10 * (inside - 0.6)))
    return np.stack([1 - p, p], axis=1).astype(np.float32)


def written(path: Path, pixels: np.ndarray, mode: str | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.astype(np.uint8), mode).save(path)


# ---------------------------------------------------------------- pictures, volumes, arrays


def png_in_colour(root: Path) -> Path:
    """RGB pictures in a folder a class, masks in a folder of their own."""
    for patient, name in ((0, "benign"), (1, "malignant")):
        image = np.repeat(grey(patient)[0][..., None], 3, axis=-1)
        written(root / name / f"{patient}.png", image)
        written(root / "masks" / f"{patient}.png", SQUARE * 255)
    return root


def jpeg_and_tiff(root: Path) -> Path:
    """Grey pictures with labels.csv by name, masks by ending."""
    written(root / "a.jpg", grey(0)[0])
    written(root / "b.tif", grey(1)[0])
    for name in "ab":
        written(root / f"{name}_mask.png", SQUARE * 255)
    (root / "labels.csv").write_text("image,label\na.jpg,benign\nb.tif,malignant\n")
    return root


def bids(root: Path) -> Path:
    """NIfTI volumes of subjects, masks among the derivatives; stored from right to left."""
    for patient, subject in enumerate(("sub-01", "sub-02")):
        where = Path(subject) / "anat"
        volume = grey(patient, 4).astype(np.float32).transpose(2, 1, 0)  # columns, rows, slices
        mask = np.repeat(SQUARE[None], 4, axis=0).transpose(2, 1, 0).astype(np.uint8)
        for path, values in (
            (root / where / f"{subject}_T1w.nii.gz", volume),
            (root / "derivatives" / "lesions" / where / f"{subject}_desc-lesion_mask.nii.gz", mask),
        ):
            path.parent.mkdir(parents=True)
            # Columns run to the left and rows to the back, as radiologists see them, so nothing is turned.
            nibabel.Nifti1Image(values, np.diag([-0.5, -0.75, 3.0, 1.0])).to_filename(path)
    (root / "labels.csv").write_text("patient,label\nsub-01,benign\nsub-02,malignant\n")
    return root


def arrays(root: Path) -> Path:
    root.mkdir()
    images = np.concatenate([grey(0), grey(1)])
    np.savez(root / "cohort.npz", images=images, regions=[SQUARE] * 2, labels=["benign", "malignant"])
    return root / "cohort.npz"


def medmnist(root: Path) -> Path:
    root.mkdir()
    split = {"images": np.concatenate([grey(0), grey(1)]).astype(np.uint8), "labels": [[0], [1]]}
    names = ("train", "val", "test")
    np.savez(
        root / "pneumoniamnist.npz", **{f"{n}_{what}": held for n in names for what, held in split.items()}
    )
    return root / "pneumoniamnist.npz"


# ---------------------------------------------------------------- DICOM

PLACES = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness")


def slices(root: Path, modality: str, slope: float, intercept: float) -> Path:
    """Series of four slices with a SEG each."""
    for patient in (0, 1):
        tags = {"Modality": modality, "RescaleSlope": str(slope), "RescaleIntercept": str(intercept)}
        series = Series(f"SECRET-{patient}", "AX", tags=tags)
        folder = root / str(patient)
        made = write_series(folder, grey(patient, 4, 0, 4000).astype(np.uint16), series)
        write_seg(folder / "seg.dcm", made, np.repeat(SQUARE[None], 4, axis=0))
    return labelled(root)


def picture(root: Path, modality: str, colour: bool = False) -> Path:
    """One picture a patient, in grey of 16 bits or in colour."""
    for patient in (0, 1):
        tags: dict[str, object] = {"Modality": modality} | dict.fromkeys(PLACES)
        stored = grey(patient, high=255 if colour else 4000)[0]
        stored = stored.astype(np.uint8 if colour else np.uint16)
        if colour:
            stored = np.repeat(stored[..., None], 3, axis=-1)
            tags |= {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
        save(mr_slice(Series(f"SECRET-{patient}", "", tags=tags), stored, 0), root / f"{patient}.dcm")
    return labelled(root)


def labelled(root: Path) -> Path:
    (root / "labels.csv").write_text("patient,label\nSECRET-0,benign\nSECRET-1,malignant\n")
    return root


COHORTS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "png-in-colour": (png_in_colour, "0:255"),
    "jpeg-and-tiff": (jpeg_and_tiff, "0:255"),
    "bids": (bids, "0:255"),
    "arrays": (arrays, "0:255"),
    "medmnist": (medmnist, "0:255"),
    "ct": (lambda root: slices(root, "CT", 1, -1024), "-1024:2976"),
    "pt": (lambda root: slices(root, "PT", 0.5, 0), "0:2000"),
    "nm": (lambda root: slices(root, "NM", 1, 0), "0:4000"),
    "cr": (lambda root: picture(root, "CR"), "0:4000"),
    "dx": (lambda root: picture(root, "DX"), "0:4000"),
    "mg": (lambda root: picture(root, "MG"), "0:4000"),
    "us": (lambda root: picture(root, "US", colour=True), "0:255"),
    "capture": (lambda root: picture(root, "OT", colour=True), "0:255"),
}
"""How each is made, and the range of its pixels."""
