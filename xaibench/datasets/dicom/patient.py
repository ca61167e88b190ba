"""One patient of a DICOM folder: series chosen, slices ordered and decoded, masks laid on them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from xaibench.api import Images, Regions
from xaibench.datasets.dicom.choice import choose
from xaibench.datasets.dicom.masks import read_masks
from xaibench.datasets.dicom.pixels import read_images, stacked
from xaibench.datasets.dicom.scan import ImageFile
from xaibench.datasets.dicom.series import Refused, Stack, arrange, gaps
from xaibench.datasets.notes import Finding, Note


@dataclass(frozen=True, eq=False)
class PatientImages:
    """Slices of one patient in order along the slice normal."""

    stack: Stack
    images: Images
    """[slices h w c], after rescale slope and intercept."""
    regions: Regions | None


def read_patient(
    files: Sequence[ImageFile],
    rule: str | None,
    patient: str,
    roi: str | None = None,
    modality: str = "MR",
) -> tuple[PatientImages | None, list[Note]]:
    """Read a patient by pseudonym, None if nothing is usable; the notes say what was read and what is wrong.

    `rule` chooses the series by description, `roi` the annotated regions by name; None = their defaults.
    """
    notes: list[Note] = []
    try:
        chosen, said = choose(files, rule, modality)
        notes += [*said, *cautions(chosen)]
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


def cautions(chosen: Sequence[ImageFile]) -> list[Note]:
    """Notes on pictures that do not say how large a pixel is, or that show text."""
    planes = [plane for file in chosen for plane in file.planes]
    notes = []
    if not all(plane.measured for plane in planes):
        notes.append(
            Note("the image does not say how large a pixel is: nothing is measured in mm.", problem=False)
        )
    if any(file.view.burned_in for file in chosen):
        text = "text is burned into the image, says its header; look for names before you share a report."
        notes.append(Note(text))
    return notes


def row_of(name: str, found: PatientImages | None) -> Finding:
    """Row of the table for a patient, without label and problem."""
    if found is None:
        return Finding(name, "", 0, None, None, False, "", "")
    first = found.stack.planes[0]
    return Finding(
        patient=name,
        series=found.stack.description,
        slices=len(found.stack.planes),
        size=first.size,
        spacing_mm=first.spacing_mm,
        mask=found.regions is not None,
        label="",
        problem="",
    )
