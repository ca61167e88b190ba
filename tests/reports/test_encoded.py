"""Pictures of values: decoded again, they are the maps; the outline runs along the edges of the region."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image as Pillow

from xaibench.reports.pictures.encoded import (
    LARGEST,
    EncodedMap,
    encoded_map,
    encoded_slice,
    outline_path,
    palettes,
)


def bytes_of(png: str) -> np.ndarray:
    picture = Pillow.open(io.BytesIO(base64.b64decode(png)))
    assert picture.mode == "L"
    return np.asarray(picture).astype(float)


def decoded(found: EncodedMap) -> np.ndarray:
    """Values as the page's words describe them."""
    values = bytes_of(found.png)
    return found.limit * ((values - 128) / 127 if found.signed else values / 255)


def made_up(low: float, high: float) -> np.ndarray:
    return np.random.default_rng(0).uniform(low, high, (20, 30)).astype(np.float32)


@pytest.mark.parametrize(("low", "high", "steps"), [(0, 5, 255), (2, 5, 255), (-3, 5, 127), (-5, -1, 127)])
def test_a_decoded_map_is_off_by_at_most_half_a_byte(low: float, high: float, steps: int) -> None:
    heatmap = made_up(low, high)
    found = encoded_map(heatmap)
    assert found.limit == np.abs(heatmap).max()
    assert np.abs(decoded(found) - heatmap).max() <= 0.5001 * found.limit / steps


@pytest.mark.parametrize("lowest", [0.0, -2.0])
def test_zero_stays_zero_and_no_value_changes_its_sign(lowest: float) -> None:
    heatmap = np.array([[lowest, 0, 0.5, 2]], np.float32)
    assert decoded(encoded_map(heatmap)).tolist()[0] == pytest.approx([lowest, 0, 0.5, 2], abs=0.01)
    assert decoded(encoded_map(heatmap))[0, 1] == 0


def test_an_all_zero_map_is_all_zero() -> None:
    found = encoded_map(np.zeros((4, 4), np.float32))
    assert (found.limit, found.signed) == (0.0, False)
    assert not decoded(found).any()


def test_scaling_a_map_changes_its_limit_alone() -> None:
    heatmap = made_up(-1, 3)
    small, large = encoded_map(heatmap), encoded_map(8 * heatmap)
    assert small.png == large.png
    assert large.limit == 8 * small.limit


def test_a_large_map_is_averaged_down_in_its_proportions() -> None:
    heatmap = np.zeros((2 * LARGEST, LARGEST), np.float32)
    heatmap[:2, :2] = [[1, 0], [1, 2]]
    heatmap[-1, -1] = 2
    found = decoded(encoded_map(heatmap))
    assert found.shape == (LARGEST, LARGEST // 2)
    assert found[0, 0] == pytest.approx(1, abs=0.01)
    assert found[-1, -1] == pytest.approx(0.5, abs=0.01)


def test_a_slice_keeps_its_order_of_brightness() -> None:
    image = np.linspace(-500, 900, 1200, dtype=np.float32).reshape(40, 30, 1)
    found = bytes_of(encoded_slice(image)).ravel()
    assert (np.diff(found) >= 0).all()
    assert (found.min(), found.max()) == (0, 255)


def test_every_byte_has_a_colour_and_zero_is_black_in_both() -> None:
    colours = {
        name: np.frombuffer(base64.b64decode(text), np.uint8).reshape(256, 3)
        for name, text in palettes().items()
    }
    assert colours["unsigned"][0].max() < 8
    assert colours["signed"][128].max() < 8
    assert colours["signed"][255, 0] > colours["signed"][255, 2], "for the class: warm"
    assert colours["signed"][1, 2] > colours["signed"][1, 0], "against the class: cold"


def edges_of(path: str) -> list[tuple[str, int, int]]:
    """Sides of pixels that a path runs along: across or down, and where each begins."""
    found = []
    for column, row, way, end in re.findall(r"M(\d+) (\d+)([HV])(\d+)", path):
        start = int(column) if way == "H" else int(row)
        for place in range(start, int(end)):
            found.append((way, *((place, int(row)) if way == "H" else (int(column), place))))
    assert re.fullmatch(r"(M\d+ \d+[HV]\d+)*", path)
    return found


def test_the_outline_runs_along_the_sides_between_inside_and_outside() -> None:
    region = np.random.default_rng(0).random((9, 7)) < 0.5

    def inside(row: int, column: int) -> bool:
        return 0 <= row < 9 and 0 <= column < 7 and bool(region[row, column])

    expected = [("H", c, r) for r in range(10) for c in range(7) if inside(r - 1, c) != inside(r, c)]
    expected += [("V", c, r) for r in range(9) for c in range(8) if inside(r, c - 1) != inside(r, c)]
    assert sorted(edges_of(outline_path(region))) == sorted(expected)


def test_a_region_as_large_as_the_image_is_outlined() -> None:
    assert outline_path(np.ones((2, 3), bool)) == "M0 0H3M0 2H3M0 0V2M3 0V2"
    assert outline_path(np.zeros((2, 3), bool)) == ""
