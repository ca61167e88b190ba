"""A cohort of arrays in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np

from xaibench.api import Identity, Regions, Volume, XaibenchError
from xaibench.datasets.classes import classes_of
from xaibench.datasets.notes import HEADER, Finding, cells
from xaibench.datasets.pseudonyms import pseudonyms


@dataclass(frozen=True, eq=False)
class Arrays:
    """Images that a program holds, with or without regions, labels and patients."""

    images: np.ndarray = field(repr=False)
    """`[n h w c]` or `[n h w]`, any kind of number."""
    regions: np.ndarray | None = field(default=None, repr=False)
    """`[n h w]`, other than 0 inside the region; None where nobody annotated."""
    labels: Sequence[object] | np.ndarray | None = field(default=None, repr=False)
    """`[n]`: number or name of each image's class; `[n k]`: 1 for each class that an image shows; None: unknown."""
    patients: Sequence[object] | np.ndarray | None = field(default=None, repr=False)
    """`[n]`: whose each image is; None: every image is a patient's of their own. Never shown."""
    names: tuple[str, ...] | None = None
    """Names of the classes 0, 1, ..."""
    spacing_mm: tuple[float, float] | None = None
    """Distance of the rows and of the columns; None where it is not known."""
    region_name: str = "region"

    summary: ClassVar[str] = "arrays in memory"

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the labels 0, 1, ...; none where neither labels nor names are given."""
        return self._classes[0]

    def volumes(self) -> Iterator[Volume]:
        """Yield one volume a patient, in the order in which the patients come first among the images.

        Raises XaibenchError where shapes do not fit, or a patient has images of several classes.
        """
        images, regions, labels = self._images, self._regions, self._classes[1]
        for name, members in self._members.items():
            if len({labels[index] for index in members}) > 1:
                raise XaibenchError(
                    f"{name} has images of several classes, and a patient has one; leave out `patients`, which makes "
                    f"every image a patient's of their own."
                )
            marked = None if regions is None else regions[members]
            yield Volume(
                patient=name,
                labels=labels[members[0]],
                images=images[members].astype(np.float32),
                regions=marked if marked is not None and marked.any() else None,
                spacing_mm=self.spacing_mm,
                region_name=self.region_name,
                identity=Identity(*self._owner(members[0])),
            )

    def notes(self) -> list[str]:
        """Say how many images of what size there are, and how many are annotated."""
        count, height, width, channels = self._images.shape
        marked = 0 if self._regions is None else int(self._regions.any(axis=(1, 2)).sum())
        return [
            f"{count} images of {height}x{width} pixels and {channels} channels of {len(self._members)} patients; "
            f"{marked} have a region."
        ]

    def case_names(self) -> tuple[str, ...]:
        """Name of the case that each image becomes if all are explained, in their order."""
        names = {
            index: f"{name}-s{place:02d}"
            for name, members in self._members.items()
            for place, index in enumerate(members)
        }
        return tuple(names[index] for index in range(len(names)))

    def check_table(self) -> tuple[list[str], list[list[str]], list[str]]:
        """Return header and rows of a table with a row a patient; what does not fit raises XaibenchError."""
        return HEADER, [cells(self._finding(volume)) for volume in self.volumes()], []

    def _finding(self, volume: Volume) -> Finding:
        return Finding(
            patient=volume.patient,
            series="",
            slices=len(volume.images),
            size=(volume.images.shape[1], volume.images.shape[2]),
            spacing_mm=volume.spacing_mm,
            mask=volume.regions is not None,
            label=", ".join(self.class_names[label] for label in volume.labels),
            problem="",
        )

    @cached_property
    def _images(self) -> np.ndarray:
        images = np.asarray(self.images)
        if images.ndim == 3:
            images = images[..., None]
        if images.ndim != 4 or not images.size or images.dtype.kind not in "biuf":
            raise XaibenchError(
                f"The images are {images.dtype} {images.shape}; give numbers of shape [n h w] or [n h w c]."
            )
        return images

    @cached_property
    def _regions(self) -> Regions | None:
        if self.regions is None:
            return None
        regions = np.asarray(self.regions)
        if regions.shape != self._images.shape[:3] or regions.dtype.kind not in "biuf":
            raise XaibenchError(
                f"The regions are {regions.dtype} {regions.shape}, but the images are {self._images.shape}; give a "
                f"mask of the size of its image for each, all 0 where nothing is marked."
            )
        marked: Regions = regions != 0
        return marked

    @cached_property
    def _classes(self) -> tuple[tuple[str, ...], list[tuple[int, ...]]]:
        if self.labels is None:
            return self.names or (), [()] * len(self._images)
        return classes_of(self.labels, self.names, len(self._images))

    @cached_property
    def _members(self) -> dict[str, list[int]]:
        """Images of each patient, by pseudonym."""
        count = len(self._images)
        owners = list(range(count)) if self.patients is None else [str(owner) for owner in self.patients]
        if len(owners) != count:
            raise XaibenchError(f"{len(owners)} patients are given for {count} images; give one an image.")
        members: dict[object, list[int]] = {}
        for index, owner in enumerate(owners):
            members.setdefault(owner, []).append(index)
        return dict(zip(pseudonyms(len(members)), members.values(), strict=True))

    def _owner(self, index: int) -> tuple[str, ...]:
        return () if self.patients is None else (f"PatientID {self.patients[index]}",)
