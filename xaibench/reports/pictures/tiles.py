"""A picture with its words, as both pages show them."""

from dataclasses import dataclass

from xaibench.reports.pictures.pictures import Picture
from xaibench.reports.pictures.pixel_origins import Origin
from xaibench.reports.text import brief


@dataclass(frozen=True)
class Tile:
    """A picture with its words, or the words alone where there is nothing to show."""

    title: str
    alt: str
    picture: Picture | None = None
    note: str = ""
    legend: tuple[Origin, ...] = ()
    """What the colours of pixel origins mean."""


def described(title: str, alt: str, picture: Picture, note: str = "") -> Tile:
    """Tile of a map, its scale in the words for those who cannot see it."""
    if picture.bar is None:
        constant = f"constant map: {brief(picture.constant)} everywhere"
        return Tile(title, f"{alt}: constant.", picture, constant)
    scale = f"{brief(picture.bar.low)} to {brief(picture.bar.high)}"
    return Tile(title, f"{alt}; scale {scale}.", picture, note)
