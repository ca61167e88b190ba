"""Paints a slice of a phantom patient, organs in the order in which they cover each other."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from xaibench.datasets.phantom import organs
from xaibench.datasets.phantom.drawing import TISSUES, Canvas, Number, Points, ellipse, inset, smooth_outline
from xaibench.datasets.phantom.organs import Ellipse, Outline, at_level
from xaibench.datasets.phantom.physique import Physique
from xaibench.datasets.phantom.tumour import Prosthesis, Tumour

Outlines = Mapping[Number, Outline]
Ellipses = Mapping[Number, Ellipse]


@dataclass(frozen=True, eq=False)
class Painter:
    """One slice of one patient."""

    canvas: Canvas
    physique: Physique
    level: float

    def paint(self, outline: Points, tissue: str) -> None:
        """Paint an outline of the average pelvis where this patient has it."""
        self.canvas.paint(self.physique.place(outline, self.level), TISSUES[tissue])

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


def paint_slice(
    canvas: Canvas, physique: Physique, tumour: Tumour, metal: Prosthesis | None, level: float
) -> None:
    """Paint everything that the slice at a level shows."""
    painter = Painter(canvas, physique, level)
    paint_body(painter)
    paint_skeleton(painter)
    paint_vessels(painter)
    paint_bowel(painter)
    paint_pelvic_floor(painter)
    paint_bladder(painter)
    paint_uterus(painter)
    paint_cervix(painter, tumour)
    if metal:
        paint_prosthesis(painter, metal)


def paint_body(painter: Painter) -> None:
    """Skin, fat and muscles."""
    half = at_level(organs.SKIN, painter.level)
    if half is None:
        raise ValueError(f"level {painter.level} mm lies outside the drawn pelvis")
    outline = smooth_outline(np.concatenate([half, half[-2:0:-1] * (-1, 1)]))
    painter.canvas.paint(painter.physique.place_skin(outline, painter.level), TISSUES["skin"])
    painter.canvas.paint(painter.physique.place_skin(inset(outline, 2.2), painter.level), TISSUES["fat"])
    painter.paint(ellipse(0, -2, 56, 70), "visceral fat")
    for muscle in painter.drawn(organs.MUSCLES) + painter.rounds(organs.ROUND_MUSCLES):
        painter.both(inset(muscle, -1.6), "muscle")
    for levator in painter.drawn([organs.LEVATOR]):
        painter.both(levator, "muscle")


def paint_skeleton(painter: Painter) -> None:
    """Pelvic bones, femora and sacrum; the joint space is a dark line of cartilage and cortex."""
    for bone in painter.drawn(organs.BONES) + painter.rounds(organs.ROUND_BONES):
        painter.bone(bone, "marrow")
    for femur in painter.rounds([organs.FEMUR]):
        for side in (1, -1):
            painter.paint(inset(femur, -3.0) * (side, 1), "fascia")
        painter.bone(femur, "marrow")
    for sacrum in painter.rounds([organs.SACRUM]):
        painter.shell(sacrum, "cortex", 2.0, "red marrow")
        if painter.level > 20:
            paint_foramina(painter)
    if -40 < painter.level < -12:
        painter.paint(ellipse(0, -58, 3, 9), "fascia")  # symphysis


def paint_foramina(painter: Painter) -> None:
    """Sacral canal and the nerve roots in their fat."""
    painter.paint(ellipse(0, 82 - 0.1 * painter.level, 9, 3), "visceral fat")
    painter.both(ellipse(20, 74 - 0.1 * painter.level, 4.5, 3.5), "fat")
    painter.both(ellipse(20, 74 - 0.1 * painter.level, 2.4, 2.2), "nerve")


def paint_vessels(painter: Painter) -> None:
    """Iliac and femoral vessels as flow voids, and the sciatic nerve."""
    for vessel in painter.rounds(organs.VESSELS):
        painter.both(vessel, "wall")
        painter.both(inset(vessel, 1.2), "flow")
    for nerve in painter.rounds([organs.SCIATIC]):
        painter.both(nerve, "nerve")


def paint_bowel(painter: Painter) -> None:
    """Mesorectum, rectum, small bowel and ovaries."""
    for fascia in painter.rounds([organs.MESORECTUM]):
        painter.shell(fascia, "fascia", 1.0, "visceral fat")
    if painter.level > 27:
        for x, y, a, b, degrees, content in painter.physique.loops:
            swing = painter.level / 12 + x
            loop = ellipse(x + 4 * np.sin(swing), y + 3 * np.cos(swing), a, b, degrees + painter.level)
            painter.shell(loop, "wall", 2.0, ("gas", "stool", "urine")[int(content)])
    numbers = at_level(organs.RECTUM, painter.level)
    if numbers is not None:
        paint_rectum(painter, numbers)
    numbers = at_level(organs.OVARY, painter.level)
    if numbers is not None:
        paint_ovaries(painter, numbers)


def paint_rectum(painter: Painter, numbers: np.ndarray) -> None:
    """Muscular wall, bright submucosa and content; the anal canal is closed."""
    size = painter.physique.rectum if painter.level > -15 else 1.0
    wall = ellipse(*(numbers * (1, 1, size, size, 1)))
    painter.paint(wall, "wall")
    painter.paint(inset(wall, 3.0), "mucosa")
    if painter.level > -20:
        painter.paint(inset(wall, 4.5), "stool")
        if painter.physique.gas:
            x, y, a, b, _ = numbers
            painter.paint(ellipse(x, y - 0.25 * b * size, 0.6 * a * size, 0.36 * b * size), "gas")
    else:
        painter.paint(inset(wall, 6.5), "wall")


def paint_ovaries(painter: Painter, numbers: np.ndarray) -> None:
    """Ovaries with follicles, different on the two sides."""
    ovary = ellipse(*numbers)
    painter.both(ovary, "ovary")
    for index, (x, y, radius) in enumerate(painter.physique.follicles):
        side = 1 if index % 2 else -1
        painter.paint(ellipse(side * (numbers[0] + x), numbers[1] + y, radius, radius), "follicle")


def paint_pelvic_floor(painter: Painter) -> None:
    """Vagina and urethra."""
    for vagina in painter.rounds([organs.VAGINA]):
        painter.shell(vagina, "wall", 2.6, "mucosa")
    for urethra in painter.rounds([organs.URETHRA]):
        painter.paint(urethra, "wall")
        painter.paint(inset(urethra, 2.2), "mucosa")
        painter.paint(inset(urethra, 5.2), "wall")


def paint_bladder(painter: Painter) -> None:
    """Bladder, larger or smaller about its lower front."""
    numbers = at_level(organs.BLADDER, painter.level)
    if numbers is None:
        return
    size = painter.physique.bladder
    numbers = numbers * (1, 1, size, size, 1) - (0, 10 * (1 - size), 0, 0, 0)
    painter.shell(ellipse(*numbers), "wall", 3.0, "urine")


def paint_uterus(painter: Painter) -> None:
    """Uterine body with its zones."""
    numbers = at_level(organs.UTERUS, painter.level)
    if numbers is None:
        return
    x, y = painter.physique.uterus * np.clip((painter.level - 18) / 20, 0, 1)
    body = ellipse(*numbers) + np.array([x, y])
    painter.paint(body, "myometrium")
    painter.paint(ellipse(x, numbers[1] + y, 0.56 * numbers[2], 0.42 * numbers[3]), "wall")
    painter.paint(ellipse(x, numbers[1] + y, 0.44 * numbers[2], 0.2 * numbers[3]), "endometrium")


def paint_cervix(painter: Painter, tumour: Tumour) -> None:
    """Parametrial vessels, the cervix, and the tumour with what is left of the dark stroma around it."""
    if -14 < painter.level < 30:
        for x, y, radius, wander, slow in painter.physique.plexus:
            vessel = ellipse(
                x + wander * painter.level, y + 3 * np.sin(painter.level / 8 + x), radius, radius, count=12
            )
            painter.paint(vessel, "slow flow" if slow else "flow")
    for cervix in painter.rounds([organs.CERVIX]):
        painter.paint(cervix, "myometrium")
        painter.paint(inset(cervix, 2.5), "stroma")
        painter.paint(inset(cervix, 9.5), "mucosa")
    paint_tumour(painter, tumour)


def paint_tumour(painter: Painter, tumour: Tumour) -> None:
    """Stroma ring, tumour and foci; spicules are painted over the ring, so they break it."""
    ring, outline, body = (cut(painter.level) for cut in (tumour.ring, tumour.outline, tumour.body))
    if ring is not None:
        painter.paint(ring, "stroma")
    if outline is None or body is None:
        return
    painter.paint(outline, "strand")
    painter.paint(body, "invasive tumour" if tumour.invasive else "tumour")
    for focus, necrotic in tumour.focus_outlines(painter.level):
        painter.paint(focus, "necrosis" if necrotic else "dense tumour")


def paint_prosthesis(painter: Painter, metal: Prosthesis) -> None:
    """Signal void with pile-up: a bright crescent at its front and back rim, as where frequencies fold."""
    outline = metal.outline(painter.level)
    if outline is None:
        return
    painter.paint(outline, "pile-up")
    middle = outline.mean(axis=0)
    painter.paint((outline - middle) * (0.97, 0.84) + middle, "flow")
