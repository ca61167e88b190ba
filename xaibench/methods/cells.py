"""A regular grid of cells over an image."""

import numpy as np

from xaibench.methods.superpixels import Segments


def grid_cells(space: tuple[int, ...], per_side: int) -> Segments:
    """Number the cells of a grid row by row; as even as can be, and no more along a side than it has pixels."""
    height, width = space
    rows, columns = min(per_side, height), min(per_side, width)
    row, column = np.arange(height) * rows // height, np.arange(width) * columns // width
    cells: np.ndarray = row[:, None] * columns + column
    return cells
