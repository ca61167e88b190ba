"""What a user may choose of a DICOM folder: the modality and the window."""

from collections.abc import Collection
from pathlib import Path

import numpy as np

from xaibench.api import XaibenchError, unknown
from xaibench.datasets.dicom.modalities import MODALITIES


def modality_to_read(root: Path, held: Collection[str], chosen: str | None) -> str:
    """Return the modality that the user chose, else MR, else the only one that is held; captures (OT) come last.

    Raises XaibenchError for an unknown one, and where several are held.
    """
    if chosen is not None and chosen.upper() not in MODALITIES:
        raise XaibenchError(unknown("modality", chosen, list(MODALITIES)))
    known = sorted(MODALITIES.keys() & held)
    several = [name for name in known if name != "OT"] or known
    if chosen is not None or "MR" in known or not known:
        return (chosen or "MR").upper()
    if len(several) > 1:
        raise XaibenchError(f"{root} holds images of {', '.join(several)}; choose one with --modality.")
    return several[0]


def limits_of(window: str) -> tuple[float, float]:
    """Centre and width, from a text such as 40,400. Raises XaibenchError."""
    try:
        centre, width = (float(number) for number in window.split(","))
    except ValueError:
        centre, width = 0.0, 0.0
    if not np.isfinite((centre, width)).all() or width <= 0:
        raise XaibenchError(f"The window {window!r} is not centre,width, such as 40,400; write it so.")
    return centre, width
