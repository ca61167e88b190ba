"""A cohort of image files: one volume a patient, whatever the format."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from xaibench.api import Affine, Identity, Images, Regions, Volume, XaibenchError
from xaibench.datasets.file_members import ImageFile, Member, Members, Rules, find_members
from xaibench.datasets.files import first_files
from xaibench.datasets.notes import HEADER, Finding, Note, cells, problem_text, sentences
from xaibench.datasets.unreadable import Unreadable


@dataclass(frozen=True, eq=False)
class Loaded:
    """What a file holds."""

    images: Images
    """`[slices h w c]`."""
    spacing_mm: tuple[float, float] | None = None
    affine: Affine | None = None
    doubt: str = ""
    """What the reader must know of it, a sentence; usually nothing."""


@dataclass(frozen=True)
class FileCohort(ABC):
    """One volume a patient from the image files below a folder; subclasses say how a file is read."""

    root: Path
    labels: Path | None = None
    """CSV file with the columns image,label or patient,label; None = labels.csv in the folder, or without one, the
    folder that an image lies in is its class."""
    only: str | None = None
    """Regular expression searched for in an image's path; None = every image counts."""
    patient: str | None = None
    """Regular expression that finds the patient in an image's path; None = column patient of the labels, a BIDS
    subject, or else every image is a patient's of their own."""
    masks: str | None = None
    """Folder of the masks, or ending of their names; None = masks, _mask, _seg and the like."""

    suffixes: ClassVar[tuple[str, ...]]
    remark: ClassVar[str] = ""
    """A note that holds for every cohort of the kind."""
    path_field: ClassVar[str] = "root"

    @classmethod
    def accepts(cls, path: Path) -> bool:
        """Whether among the first files of a folder are some that are called as such images."""
        return path.is_dir() and any(file.name.lower().endswith(cls.suffixes) for file in first_files(path))

    @abstractmethod
    def load(self, path: Path) -> Loaded:
        """Read a file. Raises Unreadable."""

    @abstractmethod
    def load_mask(self, path: Path, image: Loaded) -> Regions:
        """Read a mask of an image. Raises Unreadable, too where it has another size."""

    @abstractmethod
    def together(self, loaded: Sequence[Loaded]) -> Loaded:
        """Make one volume of the files of a patient, one or more. Raises Unreadable where they do not fit together."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the labels 0, 1, ... Raises XaibenchError without usable labels."""
        return self._members.class_names

    def volumes(self) -> Iterator[Volume]:
        """Yield one volume a patient who has a label. Raises XaibenchError if nobody can be read."""
        usable = 0
        for name in self._members.of:
            if (volume := self._read(name)) is not None:
                usable += 1
                yield volume
        if not usable:
            reasons = sentences(note for note in self._every_note() if note.problem)
            raise XaibenchError(f"{self.root}: no patient can be read. {' '.join(reasons[:3])}")

    def notes(self) -> list[str]:
        """Say by pseudonym what was left out and what is wrong; reads the files that `volumes` has not read yet."""
        return sentences(self._every_note())

    def check_table(self) -> tuple[list[str], list[list[str]], list[str]]:
        """Return header and rows of a table with a row a patient, and the problems with the files to blame."""
        problems = [problem_text(note) for note in self._every_note() if note.problem]
        return HEADER, [cells(finding) for finding, _ in self._reports.values()], problems

    def label_gaps(self) -> list[str]:
        """Say where the table of labels and the folder do not fit; training refuses them."""
        gaps = [
            Note(member.fault, name)
            for name, member in self._members.of.items()
            if member.fault and not member.left_out
        ]
        return sentences([*(note for note in self._members.notes if note.problem), *gaps])

    @cached_property
    def _members(self) -> Members:
        rules = Rules(self.suffixes, self.labels, self.only, self.patient, self.masks)
        return find_members(self.root, rules)

    @cached_property
    def _reports(self) -> dict[str, tuple[Finding, list[Note]]]:
        """Row of the table and notes by pseudonym, filled as patients are read."""
        return {}

    def _every_note(self) -> list[Note]:
        for name in self._members.of:
            if name not in self._reports:
                self._read(name)
        own = [note for name in self._members.of for note in self._reports[name][1]]
        remarks = [Note(self.remark, problem=False)] if self.remark else []
        return [*remarks, *self._members.notes, *own]

    def _read(self, name: str) -> Volume | None:
        """Read a patient, and keep what there is to say."""
        member, notes = self._members.of[name], []
        volume = None
        if member.labels is None:
            notes = [Note(member.fault, name)]
        else:
            volume, notes = self._volume(name, member, member.labels)
        self._reports[name] = self._finding(name, volume, notes), notes
        return volume

    def _volume(self, name: str, member: Member, labels: tuple[int, ...]) -> tuple[Volume | None, list[Note]]:
        notes: list[Note] = []
        found = [pair for file in member.files if (pair := self._file(name, file, notes))]
        if not found:
            return None, notes
        try:
            whole = self.together([image for image, _ in found])
        except Unreadable as fault:
            return None, [*notes, Note(f"{fault}. The patient is skipped.", name)]
        regions = np.concatenate([region for _, region in found])
        return Volume(
            patient=name,
            labels=labels,
            images=whole.images,
            regions=regions if regions.any() else None,
            spacing_mm=whole.spacing_mm,
            affine=whole.affine,
            identity=Identity(f"PatientID {member.owner}" if member.named else ""),
        ), notes

    def _file(self, name: str, file: ImageFile, notes: list[Note]) -> tuple[Loaded, Regions] | None:
        """Images of a file and their region, or None; what there is to say goes to the notes."""
        try:
            image = self.load(file.path)
        except Unreadable as fault:
            notes.append(self._blame(name, f"a file {fault}; it is left out.", file.path))
            return None
        if image.doubt:
            notes.append(self._blame(name, image.doubt, file.path))
        return image, self._region(name, file, image, notes)

    def _region(self, name: str, file: ImageFile, image: Loaded, notes: list[Note]) -> Regions:
        """All masks of a file together; empty where there are none, or none can be used."""
        region = np.zeros(image.images.shape[:3], bool)
        for path in file.masks:
            try:
                region |= self.load_mask(path, image)
            except Unreadable as fault:
                notes.append(self._blame(name, f"a mask {fault}; it is left out.", path))
        return region

    def _blame(self, name: str, text: str, path: Path) -> Note:
        return Note(text, name, str(path.relative_to(self.root)))

    def _finding(self, name: str, volume: Volume | None, notes: Sequence[Note]) -> Finding:
        labels = self._members.of[name].labels or ()
        return Finding(
            patient=name,
            series="",
            slices=0 if volume is None else len(volume.images),
            size=None if volume is None else (volume.images.shape[1], volume.images.shape[2]),
            spacing_mm=None if volume is None else volume.spacing_mm,
            mask=volume is not None and volume.regions is not None,
            label=", ".join(self.class_names[label] for label in labels),
            problem=" ".join(problem_text(replace(note, subject="")) for note in notes if note.problem),
        )
