"""Which series, or which picture, of a patient is read."""

import re
from collections.abc import Iterable, Sequence

import numpy as np

from xaibench.datasets.dicom.modalities import MODALITIES
from xaibench.datasets.dicom.scan import ANNOTATIONS, ImageFile
from xaibench.datasets.dicom.series import Refused, normal_of
from xaibench.datasets.dicom.words import shown
from xaibench.datasets.notes import Note

# Descriptions that say another weighting, or no diagnostic series; T2* and FLAIR are other contrasts than T2.
NOT_T2 = re.compile(
    r"t2[\s_-]*(\*|star)|flair|t1|pd|dwi|diff|adc|trace|swi|map|dyn|dce|locali[sz]er|scout|survey|pilot|mip",
    re.I,
)
LONG_ECHO_MS, LONG_REPETITION_MS = 60, 1500


def choose(
    files: Sequence[ImageFile], rule: str | None, modality: str = "MR"
) -> tuple[list[ImageFile], list[Note]]:
    """Files of the series to read, and what to say of the choice; raises Refused if no series fits.

    `rule` is a regular expression searched for in the description, without regard to case. None means, of MR, axial
    and T2-weighted: `t2` in the description (not T2*, FLAIR, ...), or if it names no weighting, the acquisition
    contrast T2, or a long echo and repetition time without echo-planar readout. Of other slices it means axial and
    no scout. Of several series, an original one goes before a derived one, then that with more slices, then the
    earlier one. Of several pictures, one for presentation goes before raw data, then a frontal view before others,
    then the earlier one; where two of these differ in description, nothing is guessed.
    """
    placed = MODALITIES[modality].placed
    groups: dict[str, list[ImageFile]] = {}
    for file in files:
        if file.modality not in ANNOTATIONS:
            groups.setdefault(file.series if placed else str(file.path), []).append(file)
    fitting = [group for group in groups.values() if _fits(group, rule, modality)]
    if not fitting:
        raise Refused(f"no {modality} {_missing(groups.values(), rule, modality)}")
    chosen = min(fitting, key=_preference if placed else _picture_preference)
    if not placed:
        _refuse_ambiguous(chosen, fitting, modality)
    others = [group for group in groups.values() if group is not chosen]
    left = f"left out {_names(others, modality)}." if others else ""
    return chosen, [Note(left, problem=False)] if left else []


def _missing(groups: Iterable[Sequence[ImageFile]], rule: str | None, modality: str) -> str:
    """Return what is not there, and what is, as the end of a sentence."""
    found = list(groups)
    noun = "series" if MODALITIES[modality].placed else "image"
    if not any(group[0].modality == modality for group in found):
        return f"{noun} is there."
    wanted = MODALITIES[modality].wanted if rule is None else f"matches the rule {rule!r}"
    return f"{noun} {wanted} (found: {_names(found, modality)}); choose one with --series."


def _fits(group: Sequence[ImageFile], rule: str | None, modality: str) -> bool:
    first = group[0]
    if first.modality != modality:
        return False
    if rule is not None:
        return re.search(rule, first.description, re.IGNORECASE) is not None
    if not MODALITIES[modality].placed:
        return True
    return "LOCALIZER" not in first.image_type and _is_axial(group) and (modality != "MR" or _is_t2(first))


def _is_t2(file: ImageFile) -> bool:
    contrast = file.contrast
    if NOT_T2.search(file.description):
        return False
    long_times = contrast.echo_ms >= LONG_ECHO_MS and contrast.repetition_ms >= LONG_REPETITION_MS
    by_tags = contrast.name == "T2" or (long_times and not contrast.echo_planar)
    return "t2" in file.description.lower() or by_tags


def _is_axial(group: Sequence[ImageFile]) -> bool:
    """Whether the normal lies nearest to the body axis; a series without any plane is judged later."""
    planes = [plane for file in group for plane in file.planes]
    return not planes or int(np.argmax(np.abs(normal_of(planes[0])))) == 2


def _preference(group: Sequence[ImageFile]) -> tuple[bool, int, tuple[str, int], str]:
    slices = sum(len(file.planes) for file in group)
    return "DERIVED" in group[0].image_type, -slices, group[0].order, group[0].series


def _names(groups: Iterable[Sequence[ImageFile]], modality: str) -> str:
    """Descriptions, each with its modality if that is another."""
    names = {
        f"{first.shown!r}" + f" ({shown(first.modality)})" * (first.modality != modality)
        for first, *_ in groups
    }
    return ", ".join(sorted(names)) or "none"


def _picture_preference(group: Sequence[ImageFile]) -> tuple[bool, bool, tuple[str, int], str]:
    first = group[0]
    return first.view.for_processing, not first.view.frontal, first.order, str(first.path)


def _refuse_ambiguous(
    chosen: Sequence[ImageFile], fitting: Sequence[Sequence[ImageFile]], modality: str
) -> None:
    """Refuse pictures of other views that are as good as the chosen one."""
    best = _picture_preference(chosen)[:2]
    equal = [group for group in fitting if _picture_preference(group)[:2] == best]
    if len({group[0].description for group in equal}) > 1:
        raise Refused(
            f"{len(equal)} {modality} images fit ({_names(equal, modality)}); choose one with --series."
        )
