"""What every dataset must do, as checks that raise Broken with one sentence."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import Dataset, Volume
from xaibench.harness.contract.trial import Broken, small_cases

LOOKED_AT = 4
"""Volumes that are compared when a dataset is read twice."""


@dataclass(frozen=True)
class SmallDataset:
    """Four patients of three slices each, made of noise and an ellipse: for models that want a dataset."""

    summary: ClassVar = "four small patients"
    class_names: ClassVar[tuple[str, ...]] = ("without", "with")

    def volumes(self) -> Iterator[Volume]:
        """Yield the patients."""
        for number in range(4):
            cases = small_cases((32, 40, 1), 3, seed=number)
            yield Volume(
                patient=f"P{number:03d}",
                labels=(number % 2,),
                images=np.stack([case.image for case in cases]),
                regions=np.stack([case.region for case in cases if case.region is not None]),
                spacing_mm=(1.0, 1.0),
            )

    def notes(self) -> list[str]:
        """Nothing to tell."""
        return []


def yields_one_volume_a_patient(dataset: Dataset) -> None:
    """At least one, in the order of the pseudonyms, none twice."""
    names = [volume.patient for volume in dataset.volumes()]
    if not names:
        raise Broken("it yields no volume; raise XaibenchError where the input cannot be used")
    if len(set(names)) < len(names):
        raise Broken("it yields a patient twice")
    if names != sorted(names):
        raise Broken("its patients are not in the order of their pseudonyms")


def images_are_finite_and_of_one_kind(dataset: Dataset) -> None:
    """float32 [slices h w c], at least one slice, no NaN."""
    for volume in dataset.volumes():
        images = volume.images
        if images.dtype != np.float32 or images.ndim != 4 or not len(images):
            raise Broken(
                f"{volume.patient} has images of {images.dtype} {images.shape}, not float32 [slices h w c]"
            )
        if not np.isfinite(images).all():
            raise Broken(f"{volume.patient} has NaN or infinite pixels")


def regions_fit_the_images(dataset: Dataset) -> None:
    """Bool [slices h w], or None where nobody annotated."""
    for volume in dataset.volumes():
        regions = volume.regions
        if regions is None:
            continue
        if regions.dtype != bool or regions.shape != volume.images.shape[:3]:
            raise Broken(f"{volume.patient} has regions of {regions.dtype} {regions.shape}, which do not fit")


def labels_have_names(dataset: Dataset) -> None:
    """Every label counts a class name; spacing is positive where it is known."""
    for volume in dataset.volumes():
        if not all(0 <= label < len(dataset.class_names) for label in volume.labels):
            raise Broken(
                f"{volume.patient} has labels {volume.labels}, but the classes are {dataset.class_names}"
            )
        if not all(step > 0 and np.isfinite(step) for step in volume.spacing_mm or ()):
            raise Broken(f"{volume.patient} has a spacing of {volume.spacing_mm} mm")


def gives_the_same_volumes_twice(dataset: Dataset) -> None:
    """Reading draws nothing."""
    for first, second in zip(*(_first(dataset) for _ in range(2)), strict=True):
        if first.patient != second.patient or (first.images != second.images).any():
            raise Broken(f"reading it twice gives two volumes for {first.patient}")


def notes_are_sentences(dataset: Dataset) -> None:
    """Each note is a text that ends as a sentence does."""
    for note in dataset.notes():
        if not isinstance(note, str) or not note.rstrip().endswith((".", "!", "?")):
            raise Broken(f"the note {note!r} is no sentence")


def _first(dataset: Dataset) -> list[Volume]:
    return [volume for _, volume in zip(range(LOOKED_AT), dataset.volumes(), strict=False)]


EVERY_DATASET: list[Callable[[Dataset], None]] = [
    yields_one_volume_a_patient,
    images_are_finite_and_of_one_kind,
    regions_fit_the_images,
    labels_have_names,
    gives_the_same_volumes_twice,
    notes_are_sentences,
]
