"""Drawings as masks, and their overlaps."""

import numpy as np
import pytest

from xaibench.reports.readers.drawn import dice, mask_of, mass_inside
from xaibench.reports.readers.formats import Drawn

SHAPE = (6, 8)


def drawn(*outlines: list[tuple[float, float]]) -> Drawn:
    return Drawn(image="0" * 12, outlines=tuple(tuple(outline) for outline in outlines))


def box(left: float, top: float, right: float, bottom: float) -> list[tuple[float, float]]:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def test_a_box_along_pixel_borders_covers_the_pixels_between_them() -> None:
    expected = np.zeros(SHAPE, bool)
    expected[1:4, 2:7] = True
    assert (mask_of(drawn(box(2, 1, 7, 4)), SHAPE) == expected).all()


def test_the_whole_image_is_covered_by_its_borders_and_by_an_outline_beyond_them() -> None:
    assert mask_of(drawn(box(0, 0, 8, 6)), SHAPE).all()
    assert mask_of(drawn(box(0, 0, 80, 60)), SHAPE).all()


def test_a_pixel_counts_where_its_centre_is_inside() -> None:
    rng = np.random.default_rng(0)
    corners = [(float(x), float(y)) for x, y in rng.uniform(0.1, 5.9, size=(3, 2))]
    found = mask_of(drawn(corners), SHAPE)
    (ax, ay), (bx, by), (cx, cy) = corners
    for row in range(SHAPE[0]):
        for column in range(SHAPE[1]):
            x, y = column + 0.5, row + 0.5
            sides = [
                (bx - ax) * (y - ay) - (by - ay) * (x - ax),
                (cx - bx) * (y - by) - (cy - by) * (x - bx),
                (ax - cx) * (y - cy) - (ay - cy) * (x - cx),
            ]
            assert found[row, column] == (all(s > 0 for s in sides) or all(s < 0 for s in sides))


def test_several_outlines_are_united_and_none_is_empty() -> None:
    assert mask_of(drawn(box(0, 0, 2, 2), box(1, 1, 3, 3)), SHAPE).sum() == 7
    assert not mask_of(drawn(), SHAPE).any()


def test_dice_and_mass() -> None:
    left, both = mask_of(drawn(box(0, 0, 4, 6)), SHAPE), np.ones(SHAPE, bool)
    assert dice(left, both) == pytest.approx(2 * 24 / (24 + 48))
    assert dice(left, ~left) == 0
    assert dice(np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)) == 1
    heatmap = np.full(SHAPE, 1, np.float32)
    assert mass_inside(heatmap, left) == pytest.approx(0.5)
    heatmap[:, 4:] = -3  # what speaks against the class counts for nothing
    assert mass_inside(heatmap, left) == 1
    assert mass_inside(-np.ones(SHAPE, np.float32), left) is None
