"""Pixels of a series: decoded, made MONOCHROME2, rescaled."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import numpy as np
import pydicom
from jaxtyping import Float32
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut

from xaibench.api import Images
from xaibench.datasets.dicom.headers import Plane
from xaibench.datasets.notes import Note
from xaibench.datasets.unreadable import Unreadable, guarded

PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


def read_images(planes: tuple[Plane, ...]) -> tuple[dict[Plane, Float32[np.ndarray, "h w"]], list[Note]]:
    """Image of each plane, and a note for each that cannot be used; damaged, empty and NaN images are left out."""
    images: dict[Plane, Float32[np.ndarray, "h w"]] = {}
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
    """Return the whole file, its stored values `[frames h w]`, and whether the decoder warned.

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
        values = dataset.pixel_array
        frames = values.reshape(-1, int(dataset.Rows), int(dataset.Columns))
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


def stacked(images: dict[Plane, Float32[np.ndarray, "h w"]], planes: tuple[Plane, ...]) -> Images:
    """Images of the planes, in their order: `[slices h w 1]`."""
    return np.stack([images[plane] for plane in planes])[..., None]


def _add(
    images: dict[Plane, Float32[np.ndarray, "h w"]],
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


def _intensities(stored: np.ndarray, plane: Plane, dataset: Dataset) -> Float32[np.ndarray, "h w"]:
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
    image: Float32[np.ndarray, "h w"] = values.astype(np.float32)
    if not np.isfinite(image).all():
        raise Unreadable("holds values that are not finite numbers")
    if image.min() == image.max():
        raise Unreadable("shows nothing: all its pixels are equal")
    return image
