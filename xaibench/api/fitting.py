"""A slice of a volume as a case of the model's input size."""

from dataclasses import replace
from enum import StrEnum

import numpy as np

from xaibench.api.arrays import Image, Region
from xaibench.api.data import Case, Volume
from xaibench.api.errors import XaibenchError


class Intensity(StrEnum):
    """Intensities given to the model: as in the file, or the 1st to 99th percentile of each slice as 0 to 1."""

    RAW = "raw"
    UNIT = "unit"


def fit(volume: Volume, index: int, input_shape: tuple[int, ...], intensity: Intensity) -> Case:
    """Slice of a volume as a case of the model's input size `(h, w, c)`; the region follows by nearest neighbour.

    Raises XaibenchError for pixels that are no numbers, a region of another size, and channels that do not fit.
    """
    image = volume.images[index]
    region = None if volume.regions is None else volume.regions[index]
    where = f"Case {volume.patient}/slice {index}"
    if not np.isfinite(image).all():
        raise XaibenchError(
            f"{where}: the image holds NaN or infinite pixels; repair or leave out this patient."
        )
    if region is not None and region.shape != image.shape[:2]:
        raise XaibenchError(
            f"{where}: mask is {_size(region.shape)} but the image is {_size(image.shape)}; "
            f"resample the SEG to the series, or drop the mask."
        )
    case = Case(
        id=f"{volume.patient}-s{index:02d}",
        patient=volume.patient,
        image=_channels(image, input_shape[2], where),
        labels=volume.labels,
        region=region,
        spacing_mm=volume.spacing_mm,
        slice_index=index,
        region_name=volume.region_name,
    )
    if intensity is Intensity.UNIT:
        case = replace(case, image=_unit(case.image))
    return case if image.shape[:2] == input_shape[:2] else _resized(case, (input_shape[0], input_shape[1]))


def _resized(case: Case, size: tuple[int, int]) -> Case:
    from skimage.transform import resize

    old = case.image.shape[:2]
    image = resize(case.image, size, order=1, anti_aliasing=min(size) < min(old), preserve_range=True)
    region: Region | None = None
    if case.region is not None:
        region = resize(case.region, size, order=0, anti_aliasing=False, preserve_range=True).astype(bool)
    known = case.spacing_mm
    spacing = (known[0] * old[0] / size[0], known[1] * old[1] / size[1]) if known else None
    return replace(case, image=image.astype(np.float32), region=region, spacing_mm=spacing)


def _channels(image: np.ndarray, wanted: int, where: str) -> np.ndarray:
    if image.shape[2] == wanted:
        return image
    if image.shape[2] == 1:
        return np.repeat(image, wanted, axis=2)
    raise XaibenchError(
        f"{where}: the image has {image.shape[2]} channels but the model takes {wanted}; "
        f"give a model of {image.shape[2]} channels, or convert the images."
    )


def _unit(image: Image) -> Image:
    low, high = np.percentile(image, (1, 99))
    scaled: Image = np.clip((image - low) / max(high - low, 1e-6), 0, 1).astype(np.float32)
    return scaled


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[0]}x{shape[1]}"
