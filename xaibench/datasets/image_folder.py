"""A cohort of pictures: PNG, JPEG, TIFF or BMP, grey or in colour, with masks as pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image, ImageOps

from xaibench.api import Regions
from xaibench.datasets.file_cohort import FileCohort, Loaded
from xaibench.datasets.unreadable import Unreadable, guarded

GREY = ("1", "L", "I", "F", "I;16", "I;16B", "I;16L")
TRANSPARENT = ("RGBA", "LA", "PA")
BITS = slice(24, 26)  # of a PNG: bits a channel, then its kind of colour (ISO/IEC 15948 section 11.2.2)
DEEP_COLOUR = (b"\x10\x02", b"\x10\x06")


@dataclass(frozen=True)
class ImageFolder(FileCohort):
    """Pictures with labels.csv or a folder a class; masks in a folder `masks` or called as their image with `_mask`.

    A mask marks what is not 0, in JPEG what is brighter than half. Pixels keep their values; their size in mm is
    not known.
    """

    summary: ClassVar[str] = "a folder of PNG, JPEG or TIFF pictures, with labels.csv or a folder a class"
    remark: ClassVar[str] = "Pictures do not say how large a pixel is: nothing is measured in mm."
    suffixes: ClassVar[tuple[str, ...]] = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")

    def load(self, path: Path) -> Loaded:
        """Read a picture as `[1 h w c]`: one channel or three, turned as its EXIF says."""
        pixels = _pixels(path)
        return Loaded(pixels[None].astype(np.float32))

    def load_mask(self, path: Path, image: Loaded) -> Regions:
        """Read a mask `[1 h w]`: not 0 in any channel, or brighter than half in JPEG, which blurs edges."""
        lowest = 127 if path.suffix.lower() in (".jpg", ".jpeg") else 0
        marked: Regions = np.any(_pixels(path, palette=True)[None] > lowest, axis=-1)
        if marked.shape != image.images.shape[:3]:
            (h, w), (height, width) = marked.shape[1:], image.images.shape[1:3]
            raise Unreadable(f"is {h}x{w} but its image is {height}x{width}")
        return marked

    def together(self, loaded: Sequence[Loaded]) -> Loaded:
        """Stack pictures of one size."""
        if len({image.images.shape for image in loaded}) > 1:
            raise Unreadable("its pictures differ in size or in channels")
        return Loaded(np.concatenate([image.images for image in loaded]))


def _pixels(path: Path, palette: bool = False) -> np.ndarray:
    """Pixels `[h w c]` as they are stored; `palette` keeps the numbers of palette colours. Raises Unreadable."""
    with guarded("is damaged, or no picture of a kind that can be read"), Image.open(path) as opened:
        if getattr(opened, "n_frames", 1) > 1:
            raise Unreadable("holds several pages; save each as a file of its own")
        if _deep_colour(path):
            raise Unreadable("has 16 bits a colour, which would be cut to 8; save it with 8, or in grey")
        picture = ImageOps.exif_transpose(opened)
        pixels = np.asarray(picture if palette and picture.mode == "P" else _plain(picture))
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _plain(picture: Any) -> Any:
    """Picture in grey or RGB."""
    if picture.mode == "P" and "transparency" in picture.info:
        picture = picture.convert("RGBA")
    if picture.mode in TRANSPARENT:
        if np.asarray(picture.getchannel("A")).min() < 255:
            raise Unreadable("has transparent pixels; save it without")
        return picture.convert("L" if picture.mode == "LA" else "RGB")
    return picture if picture.mode in GREY else picture.convert("RGB")


def _deep_colour(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(BITS.stop)
    return start.startswith(b"\x89PNG") and start[BITS] in DEEP_COLOUR
