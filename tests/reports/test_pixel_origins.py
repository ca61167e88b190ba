"""Pixel origins: who gave which pixel, counted and coloured."""

import numpy as np
import pytest

from tests.reports.test_pictures import pixels
from xaibench.reports.pictures.pictures import SIZE, category_picture
from xaibench.reports.pictures.pixel_origins import COLOURS, NOBODY, OTHERS, origin_map


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


def drawn(cases: int, seed: int = 0) -> np.ndarray:
    """Indices from -1 to the last case, the first cases more often."""
    rng = np.random.default_rng(seed)
    return np.minimum(rng.integers(-1, cases, (40, 40)), rng.integers(-1, cases, (40, 40)))


@pytest.mark.parametrize("cases", [3, 8, 9, 25])
def test_shares_are_those_of_a_slow_count(cases: int) -> None:
    patients = [f"P{number // 2}" for number in range(2 * cases)]  # two cases a patient
    sources = drawn(2 * cases)
    counts: dict[str, int] = {}
    for row in sources.tolist():
        for index in row:
            name = "nobody" if index < 0 else patients[index]
            counts[name] = counts.get(name, 0) + 1
    legend = origin_map(sources, patients).legend
    for origin in legend:
        if origin.name in counts:
            assert origin.share == counts.pop(origin.name) / sources.size
    rest = [origin for origin in legend if origin.name.endswith("others")]
    assert len(rest) == (1 if cases > len(COLOURS) else 0)
    for origin in rest:
        assert origin.name == f"{len(counts)} others"
        assert origin.share == sum(counts.values()) / sources.size
    assert sum(origin.share for origin in legend) == pytest.approx(1)


def test_the_largest_givers_stand_first_and_nobody_last() -> None:
    legend = origin_map(drawn(30), [f"P{number:02d}" for number in range(30)]).legend
    named = [origin.share for origin in legend if origin.name.startswith("P")]
    assert named == sorted(named, reverse=True)
    assert [origin.name for origin in legend[-2:]] == ["23 others", "nobody"]
    assert len({origin.colour for origin in legend}) == len(legend)


def test_each_pixel_has_the_colour_of_its_giver() -> None:
    patients = [f"P{number:02d}" for number in range(12)]
    sources = np.array([[-1, 0, 0], [0, 5, 5], [11, 11, 11]])
    found = origin_map(sources, patients)
    colour_of = {origin.name: rgb(origin.colour) for origin in found.legend}
    image = pixels(found.picture.src)
    side = len(image) // 3
    for row in range(3):
        for column in range(3):
            index = sources[row, column]
            name = "nobody" if index < 0 else patients[index]
            assert tuple(image[row * side + 5, column * side + 5]) == colour_of[name]
    assert colour_of["nobody"] == rgb(NOBODY)


def test_small_givers_share_one_colour() -> None:
    sources = np.arange(100).reshape(10, 10) % 20
    found = origin_map(sources, [f"P{number:02d}" for number in range(20)])
    colours = {tuple(colour) for colour in pixels(found.picture.src).reshape(-1, 3)}
    assert colours == {rgb(origin.colour) for origin in found.legend}
    assert rgb(OTHERS) in colours


def test_a_large_picture_is_reduced_without_mixing_colours() -> None:
    numbers = np.indices((500, 250)).sum(axis=0) % 3
    colours = ["#000000", "#ff0000", "#0000ff"]
    image = pixels(category_picture(numbers, colours).src)
    assert image.shape == (SIZE, SIZE // 2, 3)
    assert {tuple(colour) for colour in image.reshape(-1, 3)} == {rgb(colour) for colour in colours}


def test_an_image_that_nobody_gave_is_black() -> None:
    found = origin_map(np.full((4, 4), -1), ["P00"])
    assert [(origin.name, origin.share) for origin in found.legend] == [("nobody", 1.0)]
    assert not pixels(found.picture.src).any()
