import numpy as np
import pytest
import tensorflow as tf
from skimage.transform import resize

from xaibench.methods.upsampling import interpolation, upsample

SIZES = [((4, 4), (16, 16)), ((7, 5), (20, 33)), ((1, 3), (6, 6)), ((8, 8), (8, 8)), ((16, 16), (128, 128))]


def slow_bilinear(grid: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Pixel by pixel: centres at half-integers, the edge value outside."""
    rows, columns = grid.shape
    out = np.zeros(size)
    for i in range(size[0]):
        for j in range(size[1]):
            y = min(max((i + 0.5) * rows / size[0] - 0.5, 0), rows - 1)
            x = min(max((j + 0.5) * columns / size[1] - 0.5, 0), columns - 1)
            top, left = int(y), int(x)
            bottom, right = min(top + 1, rows - 1), min(left + 1, columns - 1)
            dy, dx = y - top, x - left
            upper = (1 - dx) * grid[top, left] + dx * grid[top, right]
            lower = (1 - dx) * grid[bottom, left] + dx * grid[bottom, right]
            out[i, j] = (1 - dy) * upper + dy * lower
    return out


@pytest.mark.parametrize(("source", "size"), SIZES[:3])
def test_upsampling_agrees_with_a_plain_loop(source, size):
    grid = np.random.default_rng(0).normal(size=source).astype(np.float32)
    np.testing.assert_allclose(upsample(grid, size), slow_bilinear(grid, size), atol=1e-5)


@pytest.mark.parametrize(("source", "size"), SIZES)
def test_upsampling_agrees_with_tensorflow_and_skimage(source, size):
    grid = np.random.default_rng(1).normal(size=source).astype(np.float32)
    expected = tf.image.resize(grid[..., None], size, method="bilinear").numpy()[..., 0]
    np.testing.assert_allclose(upsample(grid, size), expected, atol=1e-5)
    expected = resize(grid, size, order=1, mode="edge", anti_aliasing=False)
    np.testing.assert_allclose(upsample(grid, size), expected, atol=1e-5)


def test_upsampling_keeps_leading_axes_and_treats_each_map_alone():
    maps = np.random.default_rng(2).normal(size=(2, 3, 4, 5)).astype(np.float32)
    result = upsample(maps, (9, 11))
    assert result.shape == (2, 3, 9, 11)
    np.testing.assert_allclose(result[1, 2], upsample(maps[1, 2], (9, 11)), atol=1e-6)


def test_upsampling_stays_within_the_range_of_the_map():
    grid = np.zeros((5, 5), np.float32)
    grid[2, 2] = 1  # bicubic resampling would make negative values around this peak
    result = upsample(grid, (40, 40))
    assert result.min() == 0
    assert result.max() <= 1


def test_interpolation_rows_are_weights():
    weights = interpolation(13, 4)
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-6)
