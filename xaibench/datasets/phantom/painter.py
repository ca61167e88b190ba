"""One slice of one phantom patient, to be painted on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from xaibench.datasets.phantom.drawing import Canvas, Points, ellipse, inset, smooth_outline
from xaibench.datasets.phantom.organs import TISSUES, Ellipse, Number, Outline
from xaibench.datasets.phantom.physique import Build, at_level

Outlines = Mapping[Number, Outline]
Ellipses = Mapping[Number, Ellipse]


@dataclass(frozen=True, eq=False)
class Painter:
    """One slice of one patient."""

    canvas: Canvas
    build: Build
    level: float

    def paint(self, outline: Points, tissue: str) -> None:
        """Paint an outline of the average pelvis where this patient has it."""
        self.canvas.paint(self.build.place(outline, self.level), TISSUES[tissue])

    def shell(self, outline: Points, wall: str, mm: Number, inside: str) -> None:
        """Paint an organ with a wall."""
        self.paint(outline, wall)
        self.paint(inset(outline, mm), inside)

    def both(self, outline: Points, tissue: str) -> None:
        """Paint an organ and its mirror image."""
        self.paint(outline, tissue)
        self.paint(outline * (-1, 1), tissue)

    def bone(self, outline: Points, marrow: str) -> None:
        """Paint a paired bone."""
        for side in (1, -1):
            self.shell(outline * (side, 1), "cortex", 2.4, marrow)

    def drawn(self, tables: Iterable[Outlines]) -> list[Points]:
        """Outlines of the hand-drawn organs that this level cuts."""
        found = [at_level(table, self.level) for table in tables]
        return [smooth_outline(points) for points in found if points is not None]

    def rounds(self, tables: Iterable[Ellipses]) -> list[Points]:
        """Outlines of the round organs that this level cuts."""
        found = [at_level(table, self.level) for table in tables]
        return [ellipse(*numbers) for numbers in found if numbers is not None]
