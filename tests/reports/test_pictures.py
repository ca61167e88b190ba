"""Pictures show the numbers: decoded again, their colours lead back to the values."""

import base64
import io

import numpy as np
import pytest
from PIL import Image as Pillow

from xaibench.reports.pictures.pictures import DARK, LIGHT, SIZE, heatmap_picture, slice_picture


def pixels(src: str) -> np.ndarray:
    head, data = src.split(",")
    assert head == "data:image/png;base64"
    return np.asarray(Pillow.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))


def ramp(low: float, high: float) -> np.ndarray:
    return np.linspace(low, high, 64 * 64, dtype=np.float32).reshape(64, 64)


def test_a_map_without_negatives_runs_from_zero_to_its_maximum() -> None:
    picture = heatmap_picture(ramp(2, 8), None)
    assert picture.bar is not None
    assert (picture.bar.low, picture.bar.high) == (0.0, 8.0)


@pytest.mark.parametrize(("low", "high"), [(-8, 2), (-2, 8), (-8, -1)])
def test_a_signed_map_is_centred_at_zero(low: float, high: float) -> None:
    picture = heatmap_picture(ramp(low, high), None)
    assert picture.bar is not None
    assert (picture.bar.low, picture.bar.high) == (-8.0, 8.0)


def test_zero_is_black_in_both_kinds_of_map() -> None:
    heatmap = np.zeros((SIZE, SIZE), np.float32)
    heatmap[0, 0] = 1
    assert pixels(heatmap_picture(heatmap, None).src)[5, 5].max() < 8
    heatmap[0, 1] = -1
    found = pixels(heatmap_picture(heatmap, None).src)
    assert found[5, 5].max() < 8
    assert found[0, 0, 0] > found[0, 0, 2], "for the class: warm"
    assert found[0, 1, 2] > found[0, 1, 0], "against the class: cold"


@pytest.mark.parametrize("value", [0.0, -2.0, 7.0])
def test_a_constant_map_is_said_to_be_one(value: float) -> None:
    picture = heatmap_picture(np.full((16, 16), value, np.float32), None)
    assert picture.constant == value
    assert picture.bar is None


def test_scaling_a_map_changes_no_pixel() -> None:
    assert heatmap_picture(ramp(-1, 3), None).src == heatmap_picture(16 * ramp(-1, 3), None).src


def test_the_outline_is_light_inside_the_edge_of_the_mask_and_dark_outside() -> None:
    mask = np.zeros((SIZE, SIZE), bool)
    mask[40:60, 30:80] = True
    found = pixels(heatmap_picture(ramp(2, 3).repeat(3, axis=0).repeat(3, axis=1), mask).src)
    light = mask.copy()
    light[41:59, 31:79] = False
    assert np.array_equal((found == LIGHT).all(axis=-1), light)
    dark = np.zeros_like(mask)
    dark[39:61, 30:80] = dark[40:60, 29:81] = True
    assert np.array_equal((found == DARK).all(axis=-1), dark & ~mask)


@pytest.mark.parametrize("value", [-3.0, -1.0, 0.0, 1.0, 3.0])
def test_the_outline_shows_on_any_colour(value: float) -> None:
    mask = np.zeros((SIZE, SIZE), bool)
    mask[40:60, 30:80] = True
    heatmap = np.full((SIZE, SIZE), value, np.float32)
    heatmap[0, :2] = -3, 3
    found = pixels(heatmap_picture(heatmap, mask).src).astype(int)
    contrasts = [abs(found[place] - found[50, 50]).max() for place in ((40, 50), (39, 50))]
    assert max(contrasts) > 100


@pytest.mark.parametrize(
    ("shape", "size"), [((24, 48), (192, 384)), ((300, 200), (300, 200)), ((800, 400), (192, 96))]
)
def test_pictures_keep_their_proportions_at_a_handy_size(
    shape: tuple[int, int], size: tuple[int, int]
) -> None:
    mask = np.ones(shape, bool)
    assert pixels(heatmap_picture(np.ones(shape, np.float32), mask).src).shape[:2] == size


@pytest.mark.parametrize("channels", [1, 3])
def test_a_slice_is_grey_and_keeps_its_order_of_brightness(channels: int) -> None:
    image = np.repeat(ramp(-500, 900)[..., None], channels, axis=-1)
    found = pixels(slice_picture(image, None).src).astype(int)
    assert (found[..., 0] == found[..., 2]).all()
    assert (np.diff(found[..., 0].mean(axis=1)) >= 0).all()


def test_a_constant_slice_has_a_picture() -> None:
    assert pixels(slice_picture(np.full((16, 16, 1), 3.0, np.float32), None).src).shape == (SIZE, SIZE, 3)
