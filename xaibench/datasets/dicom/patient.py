"""One patient of a DICOM folder: series chosen, slices ordered and decoded, masks laid on them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from xaibench.api import Images, Regions
from xaibench.datasets.dicom.masks import read_masks
from xaibench.datasets.dicom.pixels import read_images, stacked
from xaibench.datasets.dicom.scan import ImageFile
from xaibench.datasets.dicom.series import Refused, Stack, arrange, choose, gaps
from xaibench.datasets.notes import Note


@dataclass(frozen=True, eq=False)
class PatientImages:
    """Slices of one patient in order along the slice normal."""

    stack: Stack
    images: Images
    """[slices h w 1], after rescale slope and intercept."""
    regions: Regions | None


def read_patient(
    files: Sequence[ImageFile], rule: str | None, patient: str, roi: str | None = None
) -> tuple[PatientImages | None, list[Note]]:
    """Read a patient by pseudonym, None if nothing is usable; the notes say what was read and what is wrong.

    `rule` chooses the series by description, `roi` the annotated regions by name; None = their defaults.
    """
    notes: list[Note] = []
    try:
        chosen, said = choose(files, rule)
        notes += said
        stack, said = arrange(chosen)
        notes += said
        found, said = _read(files, stack, patient, roi)
        notes += said
    except Refused as refusal:
        blamed = str(refusal.file.path) if refusal.file else ""
        notes.append(Note(f"{refusal} The patient is skipped.", file=blamed))
        found = None
    return found, [replace(note, subject=note.subject or patient) for note in notes]


def _read(
    files: Sequence[ImageFile], whole: Stack, patient: str, roi: str | None
) -> tuple[PatientImages | None, list[Note]]:
    by_plane, notes = read_images(whole.planes)
    name = whole.description
    if not by_plane:
        return None, [*notes, Note(f"no slice of the series {name!r} is usable. The patient is skipped.")]
    stack = replace(whole, planes=tuple(plane for plane in whole.planes if plane in by_plane))
    height, width = stack.planes[0].size
    read = Note(f"read the series {name!r} ({len(stack.planes)} slices of {height}x{width}).", problem=False)
    regions, said = read_masks(files, stack, patient, roi)
    return (
        PatientImages(stack, stacked(by_plane, stack.planes), regions),
        [read, *notes, *gaps(stack), *said],
    )
