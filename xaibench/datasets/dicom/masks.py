"""Masks of a series from its annotations: segmentations (SEG), else contours (RTSTRUCT)."""

from collections.abc import Sequence

import numpy as np

from xaibench.api import Regions
from xaibench.datasets.dicom.rtstruct import rtstruct_mask
from xaibench.datasets.dicom.scan import CONTOURS, SEGMENTATION, ImageFile
from xaibench.datasets.dicom.seg import WrongSize, seg_mask
from xaibench.datasets.dicom.series import Stack
from xaibench.datasets.notes import Note
from xaibench.datasets.unreadable import Unreadable

NAMES = {SEGMENTATION: "a SEG", CONTOURS: "an RTSTRUCT"}  # in the order in which they are tried


def read_masks(
    files: Sequence[ImageFile], stack: Stack, patient: str, roi: str | None
) -> tuple[Regions | None, list[Note]]:
    """Mask of each slice `[slices h w]`, or None; and what to say of each annotation.

    Segmentations go before contours, since nothing of theirs has to be drawn. Those of a kind that name the series
    are used, all together; if none does, those in the same frame of reference. `roi` as in tumour_regions.
    """
    notes: list[Note] = []
    mask: Regions | None = None
    for kind in NAMES:
        drawn = [file for file in files if file.modality == kind]
        used = _fitting(drawn, stack) if mask is None else []
        if len(drawn) > len(used):
            why = (
                "belong to other series and" if mask is None else "are not needed, since a SEG is there, and"
            )
            notes.append(Note(f"{len(drawn) - len(used)} {kind} {why} are left out.", problem=False))
        if used:
            mask, said = _united(used, stack, patient, roi)
            notes += said
    return mask, notes


def _fitting(drawn: Sequence[ImageFile], stack: Stack) -> list[ImageFile]:
    named = [file for file in drawn if stack.series in file.refers_to]
    return named or [file for file in drawn if file.space and file.space == stack.space]


def _united(
    used: Sequence[ImageFile], stack: Stack, patient: str, roi: str | None
) -> tuple[Regions | None, list[Note]]:
    kind = used[0].modality
    mask = np.zeros((len(stack.planes), *stack.planes[0].size), dtype=bool)
    notes: list[Note] = []
    read = 0
    for file in used:
        added, said = _mask(file, stack, patient, roi)
        notes += said
        if added is not None:
            mask |= added
            read += 1
    if read > 1:
        notes.append(Note(f"the mask is the union of {read} {kind}.", problem=False))
    if read and not mask.any():
        notes.append(Note(f"its {kind} marks no pixel of the series, so it counts as not annotated."))
    return (mask if mask.any() else None), notes


def _mask(file: ImageFile, stack: Stack, patient: str, roi: str | None) -> tuple[Regions | None, list[Note]]:
    """Mask of one annotation; None, and a note that says why, if it cannot be used."""
    try:
        if file.modality == CONTOURS:
            return rtstruct_mask(file, stack, roi)
        return seg_mask(file, stack, patient, roi)
    except WrongSize as fault:
        return None, [Note(str(fault), fault.case, str(file.path))]
    except Unreadable as fault:
        return None, [Note(f"{NAMES[file.modality]} {fault}; it is left out.", file=str(file.path))]
