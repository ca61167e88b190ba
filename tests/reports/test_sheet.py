"""The contact sheet of a cohort: which slice, in which colours, with an outline that shows on any of them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngImageFile

from xaibench.api import Identity, Volume
from xaibench.reports.pictures import sheet
from xaibench.reports.pictures.sheet import colours, outlined, tile, write_sheet

REGION = np.zeros((20, 16), bool)
REGION[5:12, 4:9] = True


def volume(slices: int = 5, channels: int = 1, annotated: int | None = None, patient: str = "P001") -> Volume:
    images = np.random.default_rng(0).random((slices, 20, 16, channels)).astype(np.float32)
    images += np.arange(slices, dtype=np.float32)[:, None, None, None]
    regions = None
    if annotated is not None:
        regions = np.zeros((slices, 20, 16), bool)
        regions[annotated] = REGION
        regions[0, 3, 3] = True
    return Volume(patient, (1,), images, regions, None, identity=Identity("SECRET-42"), region_name="lesion")


def test_the_slice_with_the_largest_region_is_shown_or_the_middle_one() -> None:
    names = ("benign", "malignant")
    marked, bare = tile(volume(annotated=3), names), tile(volume(), names)
    assert marked.title == "P001, slice 3 of 5\nmalignant\nlesion outlined"
    assert bare.title == "P001, slice 2 of 5\nmalignant\nno lesion"
    np.testing.assert_array_equal(bare.pixels, outlined(colours(volume().images[2]), None))


@pytest.mark.parametrize("value", [0, 90, 128, 255])
def test_the_outline_shows_on_any_colour(value: int) -> None:
    """Along the edge, inside and outside differ by all that there is, whatever the picture shows there."""
    pixels = np.full((20, 16, 3), value, np.uint8)
    found = outlined(pixels, REGION)
    assert found.shape == (200, 160, 3)
    row = found[85, :, 0].astype(int)  # through the middle of the region, columns 40 to 89
    assert list(row[38:42]) == [value, 0, 255, value]
    assert list(row[88:92]) == [value, 255, 0, value]
    column = found[:, 65, 0].astype(int)
    assert list(column[48:52]) == [value, 0, 255, value]


def test_three_channels_are_shown_in_colour_and_others_in_grey() -> None:
    image = np.zeros((4, 4, 3), np.float32)
    image[:2, :, 0] = 200
    assert colours(image)[0, 0].tolist() == [255, 0, 0]
    grey = colours(np.linspace(0, 1, 32, dtype=np.float32).reshape(4, 4, 2))
    assert (grey[..., 0] == grey[..., 2]).all()
    assert (grey.min(), grey.max()) == (0, 255)
    assert colours(np.ones((4, 4, 1), np.float32)).max() == 0


def test_a_sheet_is_a_png_of_pseudonyms_without_anything_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheet, "MOST", 5)
    path = tmp_path / "sheet.png"
    cohort = (volume(annotated=1, patient=f"P{number:03d}") for number in range(8))
    assert write_sheet(cohort, ("a", "b"), path) == 5
    with Pillow.open(path) as opened:
        assert isinstance(opened, PngImageFile)
        assert min(opened.size) > 400
        assert opened.text == {}
    assert b"SECRET" not in path.read_bytes()
