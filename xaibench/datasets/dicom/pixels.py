"""Pixels of a series: decoded, made MONOCHROME2, rescaled."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut

from xaibench.api import Image, Images
from xaibench.datasets.dicom.planes import Plane
from xaibench.datasets.notes import Note
from xaibench.datasets.unreadable import Unreadable, guarded

AIR_HU = -1000.0
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


def read_images(planes: tuple[Plane, ...]) -> tuple[dict[Plane, Image], list[Note]]:
    """Image of each plane, and a note for each that cannot be used; damaged, empty and NaN images are left out."""
    images: dict[Plane, Image] = {}
    notes: list[Note] = []
    by_file = sorted(planes, key=lambda plane: (plane.file, plane.frame))
    for file, group in groupby(by_file, key=lambda plane: plane.file):
        try:
            dataset, frames, warned = decode(file)
            if warned:
                notes.append(
                    Note("a file's pixel data is not quite regular; it is used as decoded.", file=str(file))
                )
        except Unreadable as fault:
            notes.append(Note(f"a file {fault}; it is left out.", file=str(file)))
            continue
        for plane in group:
            _add(images, notes, plane, dataset, frames)
    return images, notes


def decode(file: Path) -> tuple[Dataset, np.ndarray, bool]:
    """Return the whole file, its stored values `[frames h w c]`, and whether the decoder warned.

    Raises Unreadable where there are no pixels, or fewer than the header says.
    """
    with guarded("has a header that cannot be understood"):
        dataset = pydicom.dcmread(file)
        syntax = pydicom.uid.UID(dataset.file_meta.get("TransferSyntaxUID") or "")
    if not any(keyword in dataset for keyword in PIXELS):
        raise Unreadable("holds no pixels, or is cut short; fetch it again")
    kind = syntax.name if syntax.is_transfer_syntax and not syntax.is_private else "unknown transfer syntax"
    predicate = f"has pixels that cannot be decoded ({kind}): cut short, damaged or not supported"
    with guarded(predicate) as caught, _muted():
        values = dataset.pixel_array  # in RGB, whichever way colours are stored
        channels = int(dataset.get("SamplesPerPixel") or 1)
        if dataset.PhotometricInterpretation == "PALETTE COLOR":
            values, channels = apply_color_lut(values, dataset)[..., :3], 3
        frames = values.reshape(-1, int(dataset.Rows), int(dataset.Columns), channels)
    return dataset, frames, bool(caught)


@contextmanager
def _muted() -> Iterator[None]:
    """Silence what codecs write to the terminal past Python, such as the trace of a panic."""
    terminal = os.dup(2)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


def stacked(images: dict[Plane, Image], planes: tuple[Plane, ...]) -> Images:
    """Images of the planes, in their order: `[slices h w c]`."""
    return np.stack([images[plane] for plane in planes])


def windowed(images: Images, centre: float, width: float) -> Images:
    """Intensities as a display shows them: 0 below the window, 1 above it, linear within (PS3.3 C.11.2.1.3.2)."""
    shown: Images = np.clip((images - centre) / width + 0.5, 0, 1).astype(np.float32)
    return shown


def _add(
    images: dict[Plane, Image],
    notes: list[Note],
    plane: Plane,
    dataset: Dataset,
    frames: np.ndarray,
) -> None:
    """Put the image of a plane among the images, or the reason against it among the notes."""
    try:
        with guarded("has pixels that cannot be rescaled"):
            images[plane] = _intensities(frames[plane.frame], plane, dataset)
    except Unreadable as fault:
        notes.append(Note(f"a slice {fault}; it is left out.", file=str(plane.file)))


def _intensities(stored: np.ndarray, plane: Plane, dataset: Dataset) -> Image:
    """Slope times stored value plus intercept, or what a look-up table says (PS3.3 C.11.1).

    Of MONOCHROME1, lowest and highest possible value change places, which keeps the range of the values.
    """
    turned = dataset.PhotometricInterpretation == "MONOCHROME1"
    if dataset.get("ModalityLUTSequence"):
        values = apply_modality_lut(stored, dataset).astype(np.float64)
        values = 2 ** dataset.ModalityLUTSequence[0].LUTDescriptor[2] - 1 - values if turned else values
    else:
        values = stored.astype(np.float64)
        top = -1 if dataset.PixelRepresentation else 2**dataset.BitsStored - 1
        values = (top - values if turned else values) * plane.rescale[0] + plane.rescale[1]
    if dataset.get("Modality") == "CT":
        values = _padding_as_air(values, stored, dataset)
    image: Image = values.astype(np.float32)
    if not np.isfinite(image).all():
        raise Unreadable("holds values that are not finite numbers")
    if image.min() == image.max():
        raise Unreadable("shows nothing: all its pixels are equal")
    return image


def _padding_as_air(values: np.ndarray, stored: np.ndarray, dataset: Dataset) -> np.ndarray:
    """Count as air what a scanner fills up outside its circle (PS3.3 C.7.5.1.1.2), often with -3024."""
    padding = dataset.get("PixelPaddingValue")
    if padding is None:
        return values
    limits = sorted((int(padding), int(dataset.get("PixelPaddingRangeLimit", padding))))
    padded = (stored >= limits[0]) & (stored <= limits[1]) & (values < AIR_HU)
    return np.where(padded, AIR_HU, values)
