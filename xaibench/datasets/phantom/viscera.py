"""Paints the organs in the middle of the pelvis, and the tumour."""

import numpy as np

from xaibench.datasets.phantom import organs
from xaibench.datasets.phantom.drawing import ellipse, inset
from xaibench.datasets.phantom.painter import Painter
from xaibench.datasets.phantom.physique import at_level
from xaibench.datasets.phantom.tumour import Tumour


def paint_bowel(painter: Painter) -> None:
    """Mesorectum, rectum, small bowel and ovaries."""
    build = painter.build
    for fascia in painter.rounds([organs.MESORECTUM]):
        painter.shell(fascia, "fascia", 1.0, "visceral fat")
    if painter.level > 27:
        for x, y, a, b, degrees, content in build.loops:
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
    size = painter.build.rectum if painter.level > -15 else 1.0
    wall = ellipse(*(numbers * (1, 1, size, size, 1)))
    painter.paint(wall, "wall")
    painter.paint(inset(wall, 3.0), "mucosa")
    if painter.level > -20:
        painter.paint(inset(wall, 4.5), "stool")
        if painter.build.gas:
            x, y, a, b, _ = numbers
            painter.paint(ellipse(x, y - 0.25 * b * size, 0.6 * a * size, 0.36 * b * size), "gas")
    else:
        painter.paint(inset(wall, 6.5), "wall")


def paint_ovaries(painter: Painter, numbers: np.ndarray) -> None:
    """Ovaries with follicles, different on the two sides."""
    ovary = ellipse(*numbers)
    painter.both(ovary, "ovary")
    for index, (x, y, radius) in enumerate(painter.build.follicles):
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
    size = painter.build.bladder
    numbers = numbers * (1, 1, size, size, 1) - (0, 10 * (1 - size), 0, 0, 0)
    painter.shell(ellipse(*numbers), "wall", 3.0, "urine")


def paint_uterus(painter: Painter) -> None:
    """Uterine body with its zones."""
    numbers = at_level(organs.UTERUS, painter.level)
    if numbers is None:
        return
    x, y = painter.build.uterus * np.clip((painter.level - 18) / 20, 0, 1)
    body = ellipse(*numbers) + np.array([x, y])
    painter.paint(body, "myometrium")
    painter.paint(ellipse(x, numbers[1] + y, 0.56 * numbers[2], 0.42 * numbers[3]), "wall")
    painter.paint(ellipse(x, numbers[1] + y, 0.44 * numbers[2], 0.2 * numbers[3]), "endometrium")


def paint_cervix(painter: Painter, tumour: Tumour) -> None:
    """Parametrial vessels, the cervix, and the tumour with what is left of the dark stroma around it."""
    if -14 < painter.level < 30:
        for x, y, radius, wander, slow in painter.build.plexus:
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
