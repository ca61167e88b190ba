"""Paints a slice of a phantom patient, organs in the order in which they cover each other."""

import numpy as np

from xaibench.datasets.phantom import organs
from xaibench.datasets.phantom.drawing import Canvas, ellipse, inset, smooth_outline
from xaibench.datasets.phantom.organs import TISSUES
from xaibench.datasets.phantom.painter import Painter
from xaibench.datasets.phantom.physique import Build, at_level
from xaibench.datasets.phantom.tumour import Prosthesis, Tumour
from xaibench.datasets.phantom.viscera import (
    paint_bladder,
    paint_bowel,
    paint_cervix,
    paint_pelvic_floor,
    paint_uterus,
)


def paint_slice(canvas: Canvas, build: Build, tumour: Tumour, metal: Prosthesis | None, level: float) -> None:
    """Paint everything that the slice at a level shows."""
    painter = Painter(canvas, build, level)
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
    painter.canvas.paint(painter.build.place_skin(outline, painter.level), TISSUES["skin"])
    painter.canvas.paint(painter.build.place_skin(inset(outline, 2.2), painter.level), TISSUES["fat"])
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


def paint_prosthesis(painter: Painter, metal: Prosthesis) -> None:
    """Signal void with pile-up: a bright crescent at its front and back rim, as where frequencies fold."""
    outline = metal.outline(painter.level)
    if outline is None:
        return
    painter.paint(outline, "pile-up")
    middle = outline.mean(axis=0)
    painter.paint((outline - middle) * (0.97, 0.84) + middle, "flow")
