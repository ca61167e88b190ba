"""Volumes, cases, and what a source of them must look like."""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from xaibench.api.arrays import Affine, Image, Images, Region, Regions
from xaibench.api.errors import NotApplicable


class Identity:
    """Identifiers of a patient, which never leave this object: only keyed hashes of them do."""

    def __init__(self, *identifiers: str) -> None:
        self._identifiers = tuple(filter(None, identifiers))

    def under(self, key: bytes) -> frozenset[str]:
        """Hash each identifier with a key: the same patient, the same hashes, which tell nothing else."""
        return frozenset(
            hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32] for text in self._identifiers
        )


@dataclass(frozen=True, eq=False)
class Volume:
    """All slices of one patient, in order along the slice normal, at the resolution they were acquired."""

    patient: str
    """Pseudonym."""
    labels: tuple[int, ...]
    """True classes: one where classes exclude each other, else any number."""
    images: Images
    """[slices h w c], in the units of the file after rescale slope and intercept."""
    regions: Regions | None
    """[slices h w], True inside the annotated region; None where nobody annotated."""
    spacing_mm: tuple[float, float] | None
    """Distance of the rows and of the columns, in mm; None where that is not known."""
    affine: Affine | None = None
    """Where the slices lie; None where that is not known."""
    region_name: str = "region"
    """What the region is called: tumour, lesion, finding ..."""
    identity: Identity = field(default_factory=Identity)
    """What tells the patient again in another export."""

    @property
    def label(self) -> int:
        """The true class. Raises NotApplicable unless there is exactly one."""
        return only(self.labels)


@dataclass(frozen=True, eq=False)
class Case:
    """One image to explain."""

    id: str
    """Pseudonym: patient and slice, such as P007-s12."""
    patient: str
    image: Image
    labels: tuple[int, ...]
    region: Region | None
    spacing_mm: tuple[float, ...] | None
    """Distance of neighbouring pixels along each axis of space, in mm; None where that is not known."""
    slice_index: int = 0
    region_name: str = "region"

    @property
    def label(self) -> int:
        """The true class. Raises NotApplicable unless there is exactly one."""
        return only(self.labels)


def only(labels: tuple[int, ...]) -> int:
    """Return the single label. Raises NotApplicable where there are none or several."""
    if len(labels) != 1:
        raise NotApplicable(f"the case has {len(labels)} labels where exactly one is needed")
    return labels[0]


@runtime_checkable
class Dataset(Protocol):
    """A source of volumes. A frozen dataclass; its fields are its options and recorded parameters."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the labels 0, 1, ..."""
        ...

    summary: ClassVar[str]
    """One line for `xaibench list datasets`."""

    def volumes(self) -> Iterator[Volume]:
        """Yield one volume a patient, in the order of the pseudonyms. Raises XaibenchError on unusable input."""
        ...

    def notes(self) -> list[str]:
        """Say in sentences what was chosen, left out or is wrong; no identifying value. Valid after `volumes`."""
        ...


class DatasetFacts(BaseModel):
    """What the class of a dataset may declare, each as a class variable of that name."""

    model_config = ConfigDict(frozen=True, strict=True)

    summary: str
    """One line for `xaibench list datasets`."""
    path_field: str = ""
    """Field that takes the path of `--dataset PATH`; empty if the dataset is known by its name alone.

    Such a class also has `accepts`.
    """


@runtime_checkable
class AcceptsPaths(Protocol):
    """A class that can be asked whether a path is of its kind: of a dataset, a model or a classifier."""

    @classmethod
    def accepts(cls, path: Path) -> bool:
        """Tell from names and first bytes alone; nothing is read whole."""
        ...


@runtime_checkable
class Trainable(Protocol):
    """A dataset that can make patients to train the default model on, none of whom it will ever explain."""

    def training_volumes(self) -> Iterator[Volume]:
        """Yield the slices around the tumour of each training patient."""
        ...

    def training_key(self) -> str:
        """What decides the training patients: the same key, the same patients."""
        ...


@runtime_checkable
class Labelled(Protocol):
    """A dataset whose labels the user wrote in a table of their own."""

    def label_gaps(self) -> list[str]:
        """Say where table and images do not fit, a sentence each, without identifying values; training refuses them."""
        ...


@runtime_checkable
class Checkable(Protocol):
    """A dataset that can tabulate what would be read."""

    def check_table(self) -> tuple[list[str], list[list[str]], list[str]]:
        """Return header and rows of a table with a row a patient, and the problems, a sentence each."""
        ...


@runtime_checkable
class Conceptual(Protocol):
    """A dataset that can show concepts: what a reader would look for, and the model may have learnt."""

    def concepts(self) -> Dataset:
        """Return a cohort whose classes are the concepts; none of its patients is ever explained."""
        ...
