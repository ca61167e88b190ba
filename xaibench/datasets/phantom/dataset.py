"""Synthetic cohorts of T2-weighted female pelves, written as real DICOM and read back like any other cohort."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from xaibench.api import Identity, Regions, Volume, XaibenchError, cache_folder
from xaibench.datasets.dicom.folder import DicomFolder
from xaibench.datasets.manifest import fault_of
from xaibench.datasets.phantom.cohort import (
    CLASS_NAMES,
    VERSION,
    Enrolled,
    discard,
    enrol,
    made_of,
    make_phantom,
    prefix,
)
from xaibench.datasets.phantom.concepts import PhantomConcepts
from xaibench.datasets.phantom.volumes import drawn_volume
from xaibench.datasets.pseudonyms import pseudonyms

__all__ = ["Phantom", "PhantomShortcut", "make_phantom"]

TRAINING_PATIENTS = 120
TRAINING_SLICES = 5


@dataclass(frozen=True)
class Phantom:
    """Recurrent tumours are larger, more heterogeneous and invade the parametrium; nothing else differs."""

    patients: int = 28
    recurrent: int = 7
    seed: int = 0
    root: Path | None = None
    """Folder of the DICOM files, made on first use; None = the user's cache, or below XAIBENCH_CACHE."""

    class_names: ClassVar[tuple[str, ...]] = CLASS_NAMES
    summary: ClassVar[str] = "synthetic female pelvis T2W as DICOM; recurrent tumours invade the parametrium"
    shortcut: ClassVar[bool] = False

    def volumes(self) -> Iterator[Volume]:
        """Yield one volume a patient in the order of the pseudonyms, made as DICOM if it is not there yet.

        Raises XaibenchError if `root` holds something else or cannot be written.
        """
        return self._folder.volumes()

    def notes(self) -> list[str]:
        """Say that the cohort is synthetic, and what the reader of its files says."""
        counts = f"{self.patients} patients, {self.recurrent} recurrent, seed {self.seed}"
        return [f"Synthetic cohort, no real patient: {counts}.", *self._folder.notes()]

    def training_volumes(self) -> Iterator[Volume]:
        """Yield 120 other patients, both classes in equal parts, as the files would hold them; nothing is written.

        A volume has the 5 slices about the tumour's largest area.
        """
        people = enrol(*self._training())
        for index, person in enumerate(people, start=1):
            identity = Identity(f"PatientID {person.patient} of {person.issuer}")
            yield drawn_volume(f"T{index:03d}", (person.label,), person.draw(), TRAINING_SLICES, identity)

    def concepts(self) -> PhantomConcepts:
        """Return patients with a large tumour, an uneven one, and a full bladder, which tells nothing."""
        return PhantomConcepts(shortcut=self.shortcut, seed=self.seed)

    def training_key(self) -> str:
        """What decides the training patients: the same key, the same patients."""
        return f"{self._training()} v{VERSION}"

    def _training(self) -> tuple[str, int, int, int, bool]:
        return (
            f"{prefix(self.shortcut)}TRAIN-",
            TRAINING_PATIENTS,
            TRAINING_PATIENTS // 2,
            self.seed,
            self.shortcut,
        )

    def _people(self) -> list[Enrolled]:
        return enrol(prefix(self.shortcut), self.patients, self.recurrent, self.seed, self.shortcut)

    @cached_property
    def _folder(self) -> DicomFolder:
        root = self.root or self._cached_root()
        filled = root.is_dir() and any(root.iterdir())  # asked first: another process may be making it
        fault = fault_of(root, self._made_of())
        if fault and filled and self.root:
            raise XaibenchError(
                f"{root} is not the cohort that is asked for: {fault}; choose another folder, or delete this one."
            )
        if fault and filled:
            discard(root)
        if fault:
            self._make(root)
        return DicomFolder(root)

    def _make(self, root: Path) -> None:
        """Make the cohort, unless another process does so meanwhile."""
        try:
            make_phantom(root, self.patients, self.recurrent, self.seed, self.shortcut)
        except XaibenchError:
            if fault_of(root, self._made_of()):
                raise

    def _made_of(self) -> str:
        return made_of(self.patients, self.recurrent, self.seed, self.shortcut)

    def _cached_root(self) -> Path:
        name = "phantom-shortcut" if self.shortcut else "phantom"
        return cache_folder() / "cohorts" / f"{name}-{self.patients}-{self.recurrent}-{self.seed}-v{VERSION}"


@dataclass(frozen=True)
class PhantomShortcut(Phantom):
    """Recurrent patients have a hip prosthesis; their tumours are like all others, so the evidence is known."""

    summary: ClassVar[str] = (
        "the phantom with a planted confounder (hip prosthesis) instead of a telling tumour"
    )
    shortcut: ClassVar[bool] = True

    def confounder_regions(self) -> dict[str, Regions]:
        """Pixels that the confounder changes `[slices h w]`, by pseudonym, for the patients who have one.

        The slices are those of `volumes`. Blurring by the scanner reaches about a pixel further.
        """
        named = zip(pseudonyms(self.patients), self._people(), strict=True)
        regions = {name: person.draw().confounder_masks() for name, person in named}
        return {patient: region for patient, region in regions.items() if region is not None}
